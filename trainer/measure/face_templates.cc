#include "trainer/measure/face_templates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace facegate {
namespace {

double LengthOf(std::span<const float> row) {
  double squares = 0.0;
  for (const float value : row) squares += static_cast<double>(value) * value;
  return std::sqrt(squares);
}

}  // namespace

FaceTemplates::FaceTemplates(std::vector<uint32_t> numbers, EmbeddingSet rows)
    : rows_(std::move(rows)) {
  places_.reserve(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) places_.emplace(numbers[i], i);
}

std::optional<size_t> FaceTemplates::RowOf(uint32_t number) const {
  const auto found = places_.find(number);
  if (found == places_.end()) return std::nullopt;
  return found->second;
}

TemplateSums::TemplateSums(size_t dimension, const FaceWeights& weights)
    : dimension_(dimension), weights_(weights), sum_(dimension, 0.0), medium_(dimension, 0.0) {}

void TemplateSums::Begin(uint32_t number) {
  EndTemplate();
  numbers_.push_back(number);
}

Status TemplateSums::Add(uint32_t medium, std::span<const float> row, double detection) {
  const double length = LengthOf(row);
  if (row.size() != dimension_ || !std::isfinite(length) || length < 1e-12) {
    return InvalidArgument("the embedding of a face is all zero, not finite or of another size");
  }
  if (!std::isfinite(detection) || detection < 0.0) {
    return InvalidArgument(fmt::format("a face has the detection score {}", detection));
  }
  if (medium_faces_ > 0 && medium != medium_number_) EndMedium();
  medium_number_ = medium;
  ++medium_faces_;
  const double weight =
      (weights_.length ? 1.0 : 1.0 / length) * (weights_.detection ? detection : 1.0);
  if (weight > 0.0) ++template_faces_;
  for (size_t i = 0; i < dimension_; ++i) medium_[i] += weight * static_cast<double>(row[i]);
  return OkStatus();
}

void TemplateSums::EndMedium() {
  for (size_t i = 0; i < dimension_ && medium_faces_ > 0; ++i) {
    sum_[i] += medium_[i] / static_cast<double>(medium_faces_);
  }
  std::fill(medium_.begin(), medium_.end(), 0.0);
  medium_faces_ = 0;
}

void TemplateSums::EndTemplate() {
  if (numbers_.empty()) return;
  EndMedium();
  double squares = 0.0;
  for (const double value : sum_) squares += value * value;
  // Of unit length here, so that float32 holds it as well as any.
  const double scale = squares > 0.0 ? 1.0 / std::sqrt(squares) : 0.0;
  for (const double value : sum_) {
    rows_.push_back(template_faces_ > 0 ? static_cast<float>(value * scale)
                                        : std::numeric_limits<float>::quiet_NaN());
  }
  std::fill(sum_.begin(), sum_.end(), 0.0);
  template_faces_ = 0;
}

StatusOr<FaceTemplates> TemplateSums::Finish() {
  EndTemplate();
  std::vector<std::string> names;
  names.reserve(numbers_.size());
  for (const uint32_t number : numbers_) names.push_back(fmt::format("template {}", number));
  FACEGATE_ASSIGN_OR_RETURN(EmbeddingSet set,
                            EmbeddingSet::Make(std::move(names), dimension_, rows_, {},
                                               MirrorRule::kPlain, NoFaceRule::kMiss));
  return FaceTemplates(std::move(numbers_), std::move(set));
}

}  // namespace facegate
