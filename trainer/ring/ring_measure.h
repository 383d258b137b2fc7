#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "face/base/status.h"

namespace facegate {

struct RingPoint {
  double x = 0.0;
  double y = 0.0;
};

// Puts into numbers what a drawing of embeddings in the plane shows. Angles are in degrees.
struct RingMeasure {
  // The mean of the angles between each embedding and its class's mean direction, over all
  // embeddings.
  double intra_class_angle = 0.0;
  // The smallest angle between the mean directions of two classes.
  double smallest_inter_class_angle = 0.0;
  // The unit vectors of those directions, by class.
  std::vector<RingPoint> directions{};
};

// `labels` are 0 to classes - 1, one for each embedding. A class's mean direction is that of the
// sum of its unit-length embeddings. kInvalidArgument unless there are two classes or more, each
// with an embedding, and each has a direction.
StatusOr<RingMeasure> MeasureRing(std::span<const RingPoint> embeddings,
                                  std::span<const uint8_t> labels, size_t classes);

}  // namespace facegate
