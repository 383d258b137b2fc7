#include "trainer/ring/ring_measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace facegate {
namespace {

constexpr double kDegrees = 180.0 / std::numbers::pi;
constexpr double kNoDirection = 1e-9;

// Exact for small angles too, where the arc cosine loses half of the digits.
double AngleBetween(const RingPoint& a, const RingPoint& b) {
  return std::abs(std::atan2(a.x * b.y - a.y * b.x, a.x * b.x + a.y * b.y)) * kDegrees;
}

double LengthOf(const RingPoint& point) { return std::hypot(point.x, point.y); }

}  // namespace

StatusOr<RingMeasure> MeasureRing(std::span<const RingPoint> embeddings,
                                  std::span<const uint8_t> labels, size_t classes) {
  if (classes < 2 || embeddings.size() != labels.size()) {
    return InvalidArgument(fmt::format("{} classes, {} embeddings and {} labels give no figures",
                                       classes, embeddings.size(), labels.size()));
  }
  RingMeasure measure;
  measure.directions.resize(classes);
  for (size_t i = 0; i < embeddings.size(); ++i) {
    if (labels[i] >= classes) {
      return InvalidArgument(fmt::format("label {} of {} classes", labels[i], classes));
    }
    const double length = LengthOf(embeddings[i]);
    if (!(length > 0.0) || !std::isfinite(length)) {
      return InvalidArgument(fmt::format("embedding {} has no direction", i));
    }
    measure.directions[labels[i]].x += embeddings[i].x / length;
    measure.directions[labels[i]].y += embeddings[i].y / length;
  }
  for (size_t label = 0; label < classes; ++label) {
    RingPoint& direction = measure.directions[label];
    const double length = LengthOf(direction);
    if (!(length > kNoDirection)) {
      return InvalidArgument(
          fmt::format("the embeddings of class {} have no mean direction", label));
    }
    direction = {.x = direction.x / length, .y = direction.y / length};
  }
  for (size_t i = 0; i < embeddings.size(); ++i) {
    measure.intra_class_angle += AngleBetween(embeddings[i], measure.directions[labels[i]]);
  }
  measure.intra_class_angle /= static_cast<double>(embeddings.size());
  measure.smallest_inter_class_angle = 180.0;
  for (size_t a = 0; a < classes; ++a) {
    for (size_t b = a + 1; b < classes; ++b) {
      measure.smallest_inter_class_angle =
          std::min(measure.smallest_inter_class_angle,
                   AngleBetween(measure.directions[a], measure.directions[b]));
    }
  }
  return measure;
}

}  // namespace facegate
