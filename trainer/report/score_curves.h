#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "trainer/measure/verification.h"
#include "trainer/report/curve.h"

namespace facegate::report {

// The errors at one threshold, where a pair counts as one person from the threshold on.
struct ErrorRates {
  double threshold = 0.0;
  double false_match = 0.0;      // share of the impostor pairs, 0..1
  double false_non_match = 0.0;  // share of the genuine pairs
};

// The trade between both errors, from the highest threshold to the lowest, exact at each of about
// `most` thresholds, which are dense where one of the errors is small.
std::vector<ErrorRates> ErrorCurve(const ScoreDistribution& scores, size_t most);

// Shares of scores in `bins` equal parts of [low, high]: x is the middle of a part. Scores outside
// count to the outermost parts.
Curve ScoreHistogram(std::span<const double> scores, double low, double high, size_t bins);

}  // namespace facegate::report
