#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "face/base/status.h"

// What embeddings say of the labels of a set. A photo is doubted by where it lies, compared with
// the centres of all identities; a centre is the mean of the embeddings that are not doubted
// (Deng et al., "Sub-center ArcFace", 2020, drop photos by their angle to the dominant centre). All
// limits come from the set itself, so that they fit any model.
namespace facegate {

// The embeddings of photos, of unit length each, and the identities that they are labelled with.
struct LabelledEmbeddings {
  size_t width = 0;                // values of an embedding
  std::vector<float> rows{};       // one behind the other
  std::vector<uint32_t> labels{};  // one for each; below `identities`
  size_t identities = 0;

  size_t size() const { return labels.size(); }
  std::span<const float> row(size_t i) const { return std::span(rows).subspan(i * width, width); }
};

// A photo that is probably not of its identity.
struct DoubtedLabel {
  size_t photo = 0;      // row
  uint32_t nearest = 0;  // the identity, other than its own, whose centre is nearest
  double own = 0.0;      // cosine to the centre of its own identity, without it
  double other = 0.0;    // cosine to that of the nearest
  bool nearer = false;   // to the other one; else it is near to neither
};

// Two identities that are probably one person.
struct AlikeIdentities {
  uint32_t first = 0;
  uint32_t second = 0;
  double cosine = 0.0;  // of their centres
};

// An identity whose photos are probably of two people.
struct MixedIdentity {
  uint32_t identity = 0;
  double cosine = 0.0;            // of the centres of the two groups
  std::vector<size_t> smaller{};  // rows of the smaller group
};

struct LabelNoise {
  static constexpr size_t kMostAlike = 100'000;  // a poor model finds everybody alike

  std::vector<DoubtedLabel> doubted{};   // the most doubtful first
  std::vector<AlikeIdentities> alike{};  // the most alike first, no more than kMostAlike
  std::vector<MixedIdentity> mixed{};
  // The limits that were used: photos to foreign centres lie below the first (99 of 100), halves of
  // one identity above the second (95 of 100).
  double foreign_limit = 0.0;
  double alike_limit = 1.0;
};

// Says what is doubtful. `advance` is told of each photo that is compared, twice. kInvalidArgument
// where there are fewer than two identities or an embedding is no unit vector. Takes (2 ×
// photos + identities) × identities × width multiplications.
StatusOr<LabelNoise> FindLabelNoise(const LabelledEmbeddings& embeddings,
                                    const std::function<void()>& advance);

}  // namespace facegate
