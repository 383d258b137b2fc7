#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/weights/network_weights.h"
#include "trainer/quality/quality_samples.h"

namespace facegate {

// A point of an error-versus-discard curve: of the views that are left when the `discarded` share
// with the least expected score is taken away, how many would not be recognised (by the network's
// order, and by the best order that there is).
struct DiscardPoint {
  double discarded = 0.0;
  double error = 0.0;
  double best_error = 0.0;
};

struct FlawReport {
  ViewFlaw flaw = ViewFlaw::kNone;
  size_t views = 0;
  double score = 0.0;  // means
  double expected = 0.0;
};

// The network on views of people it has not learned from.
struct QualityReport {
  size_t views = 0;
  double correlation = 0.0;  // Pearson's, of expected and true scores
  double mean_error = 0.0;   // mean absolute
  // The share of the views that are called right at a probability of 1/2, the mean of those where
  // it is visible and those where it is not.
  double eyes_accuracy = 0.0;
  double mouth_accuracy = 0.0;
  std::vector<DiscardPoint> discard{};
  std::vector<FlawReport> flaws{};
};

// A view is recognised where its score is at least this.
inline constexpr double kRecognised = 0.5;

// `which`: indices of samples.
StatusOr<QualityReport> CheckQuality(const QualityWeights& weights, const QualitySamples& samples,
                                     std::span<const size_t> which);

// Points of the curve; `expected` and `scores` are equally long.
std::vector<DiscardPoint> DiscardCurve(std::span<const double> expected,
                                       std::span<const double> scores);

}  // namespace facegate
