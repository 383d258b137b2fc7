#include "trainer/quality/quality_report.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "face/detect/quality_net.h"

namespace facegate {
namespace {

constexpr std::array kDiscarded = {0.0, 0.1, 0.2, 0.3, 0.4, 0.5};

// The share of the last of `order` whose scores are below kRecognised.
double ErrorOfRest(std::span<const double> scores, const std::vector<size_t>& order, size_t first) {
  if (first >= order.size()) return 0.0;
  const auto missed = std::count_if(order.begin() + static_cast<ptrdiff_t>(first), order.end(),
                                    [&](size_t i) { return scores[i] < kRecognised; });
  return static_cast<double>(missed) / static_cast<double>(order.size() - first);
}

std::vector<size_t> OrderOf(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  return order;
}

double Correlation(std::span<const double> a, std::span<const double> b) {
  const auto count = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / count;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / count;
  double both = 0;
  double square_a = 0;
  double square_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    both += (a[i] - mean_a) * (b[i] - mean_b);
    square_a += (a[i] - mean_a) * (a[i] - mean_a);
    square_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  const double scale = std::sqrt(square_a * square_b);
  return scale > 0 ? both / scale : 0.0;
}

// Counts how often something is called visible when it is, and not when it is not.
class VisibleCount {
 public:
  void Add(float truth, double probability) {
    if (std::isnan(truth)) return;
    const size_t side = truth > 0.5F ? 1 : 0;
    ++all_.at(side);
    right_.at(side) += (probability > 0.5) == (side == 1) ? 1 : 0;
  }
  double Accuracy() const {
    double sum = 0;
    int sides = 0;
    for (size_t side = 0; side < all_.size(); ++side) {
      if (all_.at(side) == 0) continue;
      sum += static_cast<double>(right_.at(side)) / static_cast<double>(all_.at(side));
      ++sides;
    }
    return sides == 0 ? 0.0 : sum / sides;
  }

 private:
  std::array<size_t, 2> all_{};
  std::array<size_t, 2> right_{};
};

}  // namespace

std::vector<DiscardPoint> DiscardCurve(std::span<const double> expected,
                                       std::span<const double> scores) {
  const std::vector<size_t> order = OrderOf(expected);
  const std::vector<size_t> best = OrderOf(scores);
  std::vector<DiscardPoint> curve;
  for (const double discarded : kDiscarded) {
    const auto first = static_cast<size_t>(discarded * static_cast<double>(order.size()));
    curve.push_back({.discarded = discarded,
                     .error = ErrorOfRest(scores, order, first),
                     .best_error = ErrorOfRest(scores, best, first)});
  }
  return curve;
}

StatusOr<QualityReport> CheckQuality(const QualityWeights& weights, const QualitySamples& samples,
                                     std::span<const size_t> which) {
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<QualityNet> net, QualityNet::Create(weights));
  std::vector<double> expected;
  std::vector<double> scores;
  VisibleCount eyes;
  VisibleCount mouth;
  std::array<FlawReport, kViewFlaws> flaws{};
  QualityReport report;
  report.views = which.size();
  for (const size_t i : which) {
    const QualityTarget& target = samples.targets[i];
    FACEGATE_ASSIGN_OR_RETURN(const QualityOpinion opinion, net->Run(samples.View(i)));
    expected.push_back(opinion.expected_score);
    scores.push_back(target.score);
    eyes.Add(target.eyes_visible, opinion.eyes_visible);
    mouth.Add(target.mouth_visible, opinion.mouth_visible);
    report.mean_error += std::abs(opinion.expected_score - target.score);
    FlawReport& flaw = flaws.at(static_cast<size_t>(target.flaw));
    ++flaw.views;
    flaw.score += target.score;
    flaw.expected += opinion.expected_score;
  }
  if (which.empty()) return report;
  report.mean_error /= static_cast<double>(which.size());
  report.correlation = Correlation(expected, scores);
  report.eyes_accuracy = eyes.Accuracy();
  report.mouth_accuracy = mouth.Accuracy();
  report.discard = DiscardCurve(expected, scores);
  for (size_t i = 0; i < flaws.size(); ++i) {
    FlawReport& flaw = flaws.at(i);
    if (flaw.views == 0) continue;
    flaw.flaw = static_cast<ViewFlaw>(i);
    flaw.score /= static_cast<double>(flaw.views);
    flaw.expected /= static_cast<double>(flaw.views);
    report.flaws.push_back(flaw);
  }
  return report;
}

}  // namespace facegate
