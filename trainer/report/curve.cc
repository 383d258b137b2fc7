#include "trainer/report/curve.h"

#include <algorithm>

namespace facegate::report {
namespace {

constexpr size_t kFewPoints = 20;
constexpr size_t kShare = 40;
constexpr size_t kLeastWindow = 5;

}  // namespace

Curve Smoothed(const Curve& curve) {
  if (curve.size() < kFewPoints) return curve;
  const double keep =
      1.0 - 1.0 / static_cast<double>(std::max(kLeastWindow, curve.size() / kShare));
  Curve smooth;
  smooth.reserve(curve.size());
  double sum = 0.0;
  double weight = 0.0;
  for (const CurvePoint& point : curve) {
    sum = keep * sum + (1.0 - keep) * point.y;
    weight = keep * weight + (1.0 - keep);
    smooth.push_back({.x = point.x, .y = sum / weight});
  }
  return smooth;
}

Curve Thinned(const Curve& curve, size_t most) {
  if (curve.size() <= most) return curve;
  const size_t shares = (most - 2) / 2;
  const size_t inner = curve.size() - 2;
  Curve thin;
  thin.reserve(most);
  thin.push_back(curve.front());
  for (size_t i = 0; i < shares; ++i) {
    const auto begin = curve.begin() + static_cast<std::ptrdiff_t>(1 + inner * i / shares);
    const auto end = curve.begin() + static_cast<std::ptrdiff_t>(1 + inner * (i + 1) / shares);
    const auto [lowest, highest] = std::minmax_element(
        begin, end, [](const CurvePoint& a, const CurvePoint& b) { return a.y < b.y; });
    thin.push_back(*std::min(lowest, highest));
    if (lowest != highest) thin.push_back(*std::max(lowest, highest));
  }
  thin.push_back(curve.back());
  return thin;
}

}  // namespace facegate::report
