#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "face/base/status.h"
#include "trainer/measure/embedding_set.h"

// Templates of the protocols of IJB-B and IJB-C: all photos and frames that show one person at one
// occasion are compared as a whole.
namespace facegate {

// Says how much a face counts in its template.
struct FaceWeights {
  bool length = true;     // as much as its vector is long before it gets unit length
  bool detection = true;  // as much as the detector was sure of it
};

// Templates by their numbers. Those none of whose faces could be used, or counts anything, are rows
// without a face.
class FaceTemplates {
 public:
  FaceTemplates(std::vector<uint32_t> numbers, EmbeddingSet rows);

  const EmbeddingSet& rows() const { return rows_; }
  // The row of a template; nothing where there is none of this number.
  std::optional<size_t> RowOf(uint32_t number) const;

 private:
  EmbeddingSet rows_;
  std::unordered_map<uint32_t, size_t> places_;
};

// Makes templates of faces: the mean of the faces of each medium (the frames of a video, or a
// photo), and the sum of the means, of unit length. Keeps a row for each template.
class TemplateSums {
 public:
  TemplateSums(size_t dimension, const FaceWeights& weights);

  // The next template, which comes once; its faces follow.
  void Begin(uint32_t number);
  // The next face of the template, whose faces of one medium come one after the other. `row` has
  // any length. kInvalidArgument unless it is finite and not all zero, and `detection` is finite
  // and 0 or more.
  Status Add(uint32_t medium, std::span<const float> row, double detection);
  // All of them. kInvalidArgument, naming the template, where its faces sum up to nothing.
  StatusOr<FaceTemplates> Finish();

 private:
  void EndMedium();
  void EndTemplate();

  const size_t dimension_;
  const FaceWeights weights_;
  std::vector<uint32_t> numbers_;
  std::vector<float> rows_;
  std::vector<double> sum_;     // of the media that are whole
  std::vector<double> medium_;  // the sum of its faces so far
  uint32_t medium_number_ = 0;
  size_t medium_faces_ = 0;
  size_t template_faces_ = 0;  // that count anything
};

}  // namespace facegate
