#include "trainer/measure/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "face/base/embedding.h"

namespace facegate {
namespace {

constexpr int kGridSteps = 400;
constexpr double kGridStep = 0.01;
constexpr int kFineGridSteps = 4000;
constexpr double kFineGridStep = 0.001;
constexpr double kNormalQuantile95 = 1.959963984540054;

// Tells how alike a pair is by the measure of the rule; higher is more alike. A pair is "same" from
// the threshold on under kExact, above it otherwise.
double AlikenessOf(const ScoredPair& pair, ThresholdRule rule) {
  if (rule == ThresholdRule::kExact) return pair.cosine;
  const double distance = DistanceOfCosine(pair.cosine);
  return -(rule == ThresholdRule::kGridDistance ? distance : distance * distance);
}

struct Measured {
  double alikeness = 0.0;
  bool same = false;
};

bool IsSame(double alikeness, double threshold, ThresholdRule rule) {
  return rule == ThresholdRule::kExact ? alikeness >= threshold : alikeness > threshold;
}

std::vector<double> Candidates(std::span<const Measured> training, ThresholdRule rule) {
  std::vector<double> candidates;
  if (rule == ThresholdRule::kExact) {
    for (const Measured& pair : training) candidates.push_back(pair.alikeness);
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    return candidates;
  }
  // The order is that of ascending distances.
  for (int i = 0; i < kGridSteps; ++i) candidates.push_back(-(i * kGridStep));
  return candidates;
}

// The first of the thresholds with the most right answers.
double BestThreshold(std::span<const Measured> training, ThresholdRule rule) {
  std::vector<double> genuine;
  std::vector<double> impostor;
  for (const Measured& pair : training) {
    (pair.same ? genuine : impostor).push_back(pair.alikeness);
  }
  std::sort(genuine.begin(), genuine.end());
  std::sort(impostor.begin(), impostor.end());
  // Counts those that are not accepted as the same.
  const auto below = [rule](const std::vector<double>& sorted, double threshold) {
    const auto place = rule == ThresholdRule::kExact
                           ? std::lower_bound(sorted.begin(), sorted.end(), threshold)
                           : std::upper_bound(sorted.begin(), sorted.end(), threshold);
    return static_cast<size_t>(place - sorted.begin());
  };
  double best = 0.0;
  size_t most = 0;
  bool first = true;
  for (const double threshold : Candidates(training, rule)) {
    const size_t right = genuine.size() - below(genuine, threshold) + below(impostor, threshold);
    if (first || right > most) {
      best = threshold;
      most = right;
      first = false;
    }
  }
  return best;
}

double MeanOf(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double VarianceOf(std::span<const double> values) {
  const double mean = MeanOf(values);
  double sum = 0.0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size());
}

// The interval is by the normal approximation.
Share Within(double value, double variance) {
  const double half = kNormalQuantile95 * std::sqrt(std::max(0.0, variance));
  return {.value = value, .low = std::max(0.0, value - half), .high = std::min(1.0, value + half)};
}

double DPrimeOf(const std::vector<double>& genuine, const std::vector<double>& impostor) {
  const double spread = std::sqrt((VarianceOf(genuine) + VarianceOf(impostor)) / 2.0);
  return (MeanOf(genuine) - MeanOf(impostor)) / spread;
}

Status CheckFolds(size_t pairs, size_t folds) {
  if (folds >= 2 && pairs >= folds) return OkStatus();
  return InvalidArgument(fmt::format(
      "{} pairs cannot be cut into {} folds; at least 2 folds with a pair each", pairs, folds));
}

// Where a block of consecutive pairs ends that begins at `begin`.
size_t EndOfFold(size_t begin, size_t fold, size_t folds, size_t pairs) {
  return begin + pairs / folds + (fold < pairs % folds ? 1 : 0);
}

double Ratio(size_t part, size_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// Ascending distances of some pairs. How many lie below a threshold?
size_t CountBelow(const std::vector<double>& ascending, double threshold) {
  return static_cast<size_t>(std::lower_bound(ascending.begin(), ascending.end(), threshold) -
                             ascending.begin());
}

// The threshold of ValidateAtFar() by the ascending distances of impostor pairs.
double ThresholdAtFar(const std::vector<double>& impostor, double far) {
  double below = 0.0;
  for (int step = 0; step < kFineGridSteps; ++step) {
    const double threshold = step * kFineGridStep;
    const double rate = Ratio(CountBelow(impostor, threshold), impostor.size());
    if (rate >= far) {
      if (step == 0) return threshold;
      return threshold - kFineGridStep * (rate - far) / (rate - below);
    }
    below = rate;
  }
  return 0.0;
}

}  // namespace

void AnswerCounts::Add(bool accepted, bool same) {
  if (accepted) {
    (same ? accepted_same : accepted_other) += 1;
  } else {
    (same ? refused_same : refused_other) += 1;
  }
}

double AnswerCounts::precision() const {
  return Ratio(accepted_same, accepted_same + accepted_other);
}

double AnswerCounts::recall() const { return Ratio(accepted_same, accepted_same + refused_same); }

double AnswerCounts::f1() const {
  return Ratio(2 * accepted_same, 2 * accepted_same + accepted_other + refused_same);
}

StatusOr<FoldAccuracy> CrossValidate(std::span<const ScoredPair> pairs, size_t folds,
                                     ThresholdRule rule) {
  FACEGATE_RETURN_IF_ERROR(CheckFolds(pairs.size(), folds));
  std::vector<Measured> measured;
  measured.reserve(pairs.size());
  for (const ScoredPair& pair : pairs) {
    measured.push_back({.alikeness = AlikenessOf(pair, rule), .same = pair.same});
  }
  FoldAccuracy accuracy;
  std::vector<double> thresholds;
  size_t begin = 0;
  for (size_t fold = 0; fold < folds; ++fold) {
    const size_t end = EndOfFold(begin, fold, folds, pairs.size());
    std::vector<Measured> training(measured.begin(),
                                   measured.begin() + static_cast<std::ptrdiff_t>(begin));
    training.insert(training.end(), measured.begin() + static_cast<std::ptrdiff_t>(end),
                    measured.end());
    const double threshold = BestThreshold(training, rule);
    const size_t right_before = accuracy.answers.right();
    for (size_t i = begin; i < end; ++i) {
      accuracy.answers.Add(IsSame(measured[i].alikeness, threshold, rule), measured[i].same);
    }
    accuracy.folds.push_back(Ratio(accuracy.answers.right() - right_before, end - begin));
    thresholds.push_back(rule == ThresholdRule::kExact ? threshold : -threshold);
    begin = end;
  }
  accuracy.mean = MeanOf(accuracy.folds);
  accuracy.deviation = std::sqrt(VarianceOf(accuracy.folds));
  accuracy.threshold = MeanOf(thresholds);
  accuracy.pairs = ShareOf(accuracy.answers.right(), pairs.size());
  return accuracy;
}

StatusOr<ValidationRate> ValidateAtFar(std::span<const ScoredPair> pairs, size_t folds,
                                       double far) {
  FACEGATE_RETURN_IF_ERROR(CheckFolds(pairs.size(), folds));
  if (!(far > 0.0 && far < 1.0)) {
    return InvalidArgument(
        fmt::format("a false accept rate to validate at is between 0 and 1, not {}", far));
  }
  std::vector<double> accepted_genuine;
  std::vector<double> accepted_impostor;
  size_t begin = 0;
  for (size_t fold = 0; fold < folds; ++fold) {
    const size_t end = EndOfFold(begin, fold, folds, pairs.size());
    std::vector<double> others;
    std::vector<double> genuine;
    std::vector<double> impostor;
    for (size_t i = 0; i < pairs.size(); ++i) {
      const double distance = DistanceOfCosine(pairs[i].cosine);
      if (i >= begin && i < end) {
        (pairs[i].same ? genuine : impostor).push_back(distance * distance);
      } else if (!pairs[i].same) {
        others.push_back(distance * distance);
      }
    }
    std::sort(others.begin(), others.end());
    std::sort(genuine.begin(), genuine.end());
    std::sort(impostor.begin(), impostor.end());
    const double threshold = ThresholdAtFar(others, far);
    if (!genuine.empty()) {
      accepted_genuine.push_back(Ratio(CountBelow(genuine, threshold), genuine.size()));
    }
    if (!impostor.empty()) {
      accepted_impostor.push_back(Ratio(CountBelow(impostor, threshold), impostor.size()));
    }
    begin = end;
  }
  if (accepted_genuine.empty() || accepted_impostor.empty()) {
    return InvalidArgument("there are pairs of one kind alone, and both are needed");
  }
  return ValidationRate{.far = far,
                        .mean = MeanOf(accepted_genuine),
                        .deviation = std::sqrt(VarianceOf(accepted_genuine)),
                        .measured_far = MeanOf(accepted_impostor)};
}

bool IsMeasurable(double rate, size_t trials) { return rate * static_cast<double>(trials) >= 1.0; }

Share ShareOf(size_t hits, size_t trials) {
  if (trials == 0) return {.value = 0.0, .low = 0.0, .high = 1.0};
  // Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(hits) / n;
  const double z = kNormalQuantile95;
  const double scale = 1.0 / (1.0 + z * z / n);
  const double centre = scale * (p + z * z / (2.0 * n));
  const double half = scale * z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
  return {.value = p, .low = std::max(0.0, centre - half), .high = std::min(1.0, centre + half)};
}

StatusOr<ScoreDistribution> ScoreDistribution::Make(std::span<const ScoredPair> pairs) {
  ScoreDistribution scores;
  std::vector<double> compared_genuine;
  std::vector<double> compared_impostor;
  for (const ScoredPair& pair : pairs) {
    (pair.same ? scores.genuine_ : scores.impostor_).push_back(pair.cosine);
    if (!pair.comparable) continue;
    (pair.same ? compared_genuine : compared_impostor).push_back(pair.cosine);
  }
  scores.d_prime_ = DPrimeOf(compared_genuine, compared_impostor);
  if (scores.genuine_.empty() || scores.impostor_.empty()) {
    return InvalidArgument(
        fmt::format("there are {} genuine and {} impostor pairs, at least one of each is needed",
                    scores.genuine_.size(), scores.impostor_.size()));
  }
  std::sort(scores.genuine_.begin(), scores.genuine_.end(), std::greater<>());
  std::sort(scores.impostor_.begin(), scores.impostor_.end(), std::greater<>());
  return scores;
}

StatusOr<AcceptanceAtFar> ScoreDistribution::AtFar(double far) const {
  if (!(far >= 0.0 && far < 1.0)) {
    return InvalidArgument(fmt::format("a false accept rate is 0 to below 1, not {}", far));
  }
  const auto k = static_cast<size_t>(std::floor(far * static_cast<double>(impostor_.size())));
  const double threshold = impostor_[k];
  const auto accepted =
      std::lower_bound(genuine_.begin(), genuine_.end(), threshold, std::greater<>());
  return AcceptanceAtFar{
      .far = far,
      .threshold = threshold,
      .tar = ShareOf(static_cast<size_t>(accepted - genuine_.begin()), genuine_.size())};
}

ScoreDistribution::Errors ScoreDistribution::EqualErrors() const {
  std::vector<double> thresholds(genuine_);
  thresholds.insert(thresholds.end(), impostor_.begin(), impostor_.end());
  std::sort(thresholds.begin(), thresholds.end());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  double smallest = 2.0;
  Errors errors;
  // Counts how many of a descending list reach the threshold.
  const auto accepted = [](const std::vector<double>& scores, double threshold) {
    return static_cast<double>(
        std::upper_bound(scores.begin(), scores.end(), threshold, std::greater<>()) -
        scores.begin());
  };
  for (const double threshold : thresholds) {
    const double far = accepted(impostor_, threshold) / static_cast<double>(impostor_.size());
    const double frr = 1.0 - accepted(genuine_, threshold) / static_cast<double>(genuine_.size());
    if (std::abs(far - frr) < smallest) {
      smallest = std::abs(far - frr);
      errors = {.far = far, .frr = frr};
    }
  }
  return errors;
}

double ScoreDistribution::EqualErrorRate() const {
  const Errors errors = EqualErrors();
  return (errors.far + errors.frr) / 2.0;
}

Share ScoreDistribution::EqualErrorShare() const {
  const Errors errors = EqualErrors();
  const auto variance = [](double rate, size_t trials) {
    return rate * (1.0 - rate) / (4.0 * static_cast<double>(trials));
  };
  return Within((errors.far + errors.frr) / 2.0,
                variance(errors.far, impostor_.size()) + variance(errors.frr, genuine_.size()));
}

double ScoreDistribution::Auc() const {
  double wins = 0.0;
  for (const double score : genuine_) {
    const auto above =
        std::lower_bound(impostor_.begin(), impostor_.end(), score, std::greater<>());
    const auto from = std::upper_bound(impostor_.begin(), impostor_.end(), score, std::greater<>());
    wins += static_cast<double>(impostor_.end() - from) + 0.5 * static_cast<double>(from - above);
  }
  return wins / (static_cast<double>(genuine_.size()) * static_cast<double>(impostor_.size()));
}

Share ScoreDistribution::AucShare() const {
  const double auc = Auc();
  const auto genuine = static_cast<double>(genuine_.size());
  const auto impostor = static_cast<double>(impostor_.size());
  const double two_genuine = auc / (2.0 - auc);  // both above one impostor pair
  const double two_impostor = 2.0 * auc * auc / (1.0 + auc);
  const double variance = (auc * (1.0 - auc) + (genuine - 1.0) * (two_genuine - auc * auc) +
                           (impostor - 1.0) * (two_impostor - auc * auc)) /
                          (genuine * impostor);
  return Within(auc, variance);
}

double ScoreDistribution::DPrime() const { return d_prime_; }

}  // namespace facegate
