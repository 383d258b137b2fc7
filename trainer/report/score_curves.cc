#include "trainer/report/score_curves.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace facegate::report {
namespace {

// Positions 0 … size-1, all where they are few, else spaced by equal ratios of position + 1.
std::vector<size_t> LogPositions(size_t size, size_t most) {
  std::vector<size_t> positions;
  positions.reserve(most);
  const double top = std::log(static_cast<double>(size));
  for (size_t i = 0; i < most; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(most - 1);
    const auto position = static_cast<size_t>(std::lround(std::exp(top * share))) - 1;
    if (positions.empty() || position > positions.back()) positions.push_back(position);
  }
  return positions;
}

// The share of descending scores that reach the threshold.
double ShareFrom(std::span<const double> scores, double threshold) {
  const auto end = std::upper_bound(scores.begin(), scores.end(), threshold, std::greater<>());
  return static_cast<double>(end - scores.begin()) / static_cast<double>(scores.size());
}

}  // namespace

std::vector<ErrorRates> ErrorCurve(const ScoreDistribution& scores, size_t most) {
  const std::span<const double> genuine = scores.genuine();
  const std::span<const double> impostor = scores.impostor();
  const size_t half = std::max<size_t>(2, most / 2);
  std::vector<double> thresholds;
  thresholds.reserve(2 * half);
  for (const size_t i : LogPositions(impostor.size(), half)) thresholds.push_back(impostor[i]);
  for (const size_t i : LogPositions(genuine.size(), half)) {
    thresholds.push_back(genuine[genuine.size() - 1 - i]);
  }
  std::sort(thresholds.begin(), thresholds.end(), std::greater<>());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  std::vector<ErrorRates> curve;
  curve.reserve(thresholds.size());
  for (const double threshold : thresholds) {
    curve.push_back({.threshold = threshold,
                     .false_match = ShareFrom(impostor, threshold),
                     .false_non_match = 1.0 - ShareFrom(genuine, threshold)});
  }
  return curve;
}

Curve ScoreHistogram(std::span<const double> scores, double low, double high, size_t bins) {
  const double width = (high - low) / static_cast<double>(bins);
  Curve histogram(bins);
  for (size_t i = 0; i < bins; ++i) {
    histogram[i].x = low + width * (static_cast<double>(i) + 0.5);
  }
  for (const double score : scores) {
    const double bin =
        std::clamp(std::floor((score - low) / width), 0.0, static_cast<double>(bins - 1));
    histogram[static_cast<size_t>(bin)].y += 1.0 / static_cast<double>(scores.size());
  }
  return histogram;
}

}  // namespace facegate::report
