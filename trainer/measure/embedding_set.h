#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Says how a photo's embedding and that of its mirror image become one.
enum class MirrorRule {
  kPlain,   // the mirror image is not used
  kSum,     // their sum, then normalised
  kConcat,  // both, one after the other, then normalised
};

// "none", "sum", "concat"; kInvalidArgument for another name.
StatusOr<MirrorRule> MirrorRuleFromName(std::string_view name);

// Says what becomes of a photo without a usable face.
enum class NoFaceRule {
  kFail,  // an error
  kMiss,  // it matches nobody: a failure to acquire counts like a refusal (ISO/IEC 19795-1)
};

// "fail", "miss"; kInvalidArgument for another name.
StatusOr<NoFaceRule> NoFaceRuleFromName(std::string_view name);

// The score of a photo without a face with any other: no cosine is below it.
inline constexpr double kNoScore = -1.0;

// The dot product of two unit vectors of one size; kNoScore where one is of a photo without a face.
double CosineOf(std::span<const double> a, std::span<const double> b);

// Photos by name, and their unit-length embeddings. Computed in double from the float32 of a
// network, so that independent code on the same numbers comes to the same figures.
class EmbeddingSet {
 public:
  // `raw` has a row of `dimension` values for each name, not normalised; `mirrored` the same of the
  // mirror images, or nothing under kPlain. A row of NaN alone is a photo without a face. It is an
  // error under kFail. kInvalidArgument, naming the photo, when a row is not finite otherwise or
  // all zero, when sizes do not fit, or when a name comes twice.
  static StatusOr<EmbeddingSet> Make(std::vector<std::string> names, size_t dimension,
                                     std::span<const float> raw, std::span<const float> mirrored,
                                     MirrorRule rule, NoFaceRule no_face = NoFaceRule::kFail);

  size_t size() const { return names_.size(); }
  bool has_face(size_t i) const { return !std::isnan(values_[i * dimension_]); }
  size_t without_face() const { return without_face_; }
  size_t dimension() const { return dimension_; }
  const std::vector<std::string>& names() const { return names_; }
  std::span<const double> row(size_t i) const {
    return std::span(values_).subspan(i * dimension_, dimension_);
  }
  // kNotFound, naming it.
  StatusOr<size_t> IndexOf(const std::string& name) const;
  // The cosine of two photos.
  double Score(size_t a, size_t b) const;

 private:
  EmbeddingSet() = default;

  std::vector<std::string> names_;
  std::unordered_map<std::string, size_t> index_;
  size_t dimension_ = 0;
  size_t without_face_ = 0;
  std::vector<double> values_;  // rows of NaN where there is no face
};

}  // namespace facegate
