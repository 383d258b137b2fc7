#pragma once

#include <cstddef>
#include <vector>

namespace facegate::report {

struct CurvePoint {
  double x = 0.0;
  double y = 0.0;
};

// A point for each x, in ascending order; all of it finite.
using Curve = std::vector<CurvePoint>;

// Each y becomes the exponential mean of those up to it, over about a fortieth of the curve's
// points (at least 5); the first points are not pulled towards 0. Fewer than 20 points stay as they
// are.
Curve Smoothed(const Curve& curve);

// Keeps at most `most` (4 or more) points of a curve: from equal shares of the points the lowest
// and the highest, so that no spike is lost, and the first and the last point.
Curve Thinned(const Curve& curve, size_t most);

}  // namespace facegate::report
