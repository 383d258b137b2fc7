#include "tests/support/person_scores.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>

namespace facegate {
namespace {

using person_scores::kPersonShare;
using person_scores::kSpread;

double UpperTail(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

// Standard normal numbers (Marsaglia's polar method), the same with every library.
class NormalNumbers {
 public:
  explicit NormalNumbers(uint64_t seed) : random_(seed) {}

  double Next() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    double u = 0.0;
    double v = 0.0;
    double square = 0.0;
    do {
      u = Uniform();
      v = Uniform();
      square = u * u + v * v;
    } while (square >= 1.0 || square == 0.0);
    const double scale = std::sqrt(-2.0 * std::log(square) / square);
    spare_ = v * scale;
    has_spare_ = true;
    return u * scale;
  }

 private:
  double Uniform() { return static_cast<double>(random_() >> 11) * 0x1p-52 - 1.0; }

  std::mt19937_64 random_;
  double spare_ = 0.0;
  bool has_spare_ = false;
};

}  // namespace

namespace person_scores {

double TrueFpir(double threshold, double identities) {
  // The sum goes over the stranger's effect; given that, the people of a gallery come
  // independently.
  constexpr int kSteps = 4000;
  constexpr double kRange = 8.0;
  double sum = 0.0;
  double weights = 0.0;
  for (int i = 0; i <= kSteps; ++i) {
    const double z = -kRange + 2.0 * kRange * i / kSteps;
    const double weight = std::exp(-0.5 * z * z);
    const double rest =
        (threshold / kSpread - std::sqrt(kPersonShare) * z) / std::sqrt(1.0 - kPersonShare);
    sum += weight * -std::expm1(identities * std::log1p(-UpperTail(rest)));
    weights += weight;
  }
  return sum / weights;
}

}  // namespace person_scores

PersonScores::PersonScores(size_t people, uint64_t seed)
    : effects_(people), scores_(people * people, 0.0F) {
  NormalNumbers numbers(seed);
  for (double& effect : effects_) effect = std::sqrt(kPersonShare) * numbers.Next();
  const double noise = std::sqrt(1.0 - 2.0 * kPersonShare);
  for (size_t a = 0; a < people; ++a) {
    for (size_t b = a + 1; b < people; ++b) {
      const double score = kSpread * (effects_[a] + effects_[b] + noise * numbers.Next());
      scores_[a * people + b] = static_cast<float>(std::clamp(score, -1.0, 1.0));
      scores_[b * people + a] = scores_[a * people + b];
    }
  }
}

StatusOr<Calibration> PersonScores::Calibrate() const {
  FACEGATE_ASSIGN_OR_RETURN(auto builder, CalibrationBuilder::Create(people(), people()));
  for (size_t person = 0; person < people(); ++person) {
    FACEGATE_RETURN_IF_ERROR(
        builder.AddProbe(person, std::span(scores_).subspan(person * people(), people())));
  }
  return builder.Finish({.set = "generated scores",
                         .model_digest = std::string(64, 'a'),
                         .preprocessing_digest = std::string(64, 'b'),
                         .photos = people()});
}

std::vector<double> SimulateFpir(const std::vector<double>& thresholds, size_t identities,
                                 size_t strangers, uint64_t seed) {
  NormalNumbers numbers(seed);
  std::vector<float> gallery(identities);
  const double person = std::sqrt(kPersonShare);
  for (float& effect : gallery) effect = static_cast<float>(person * numbers.Next());
  const auto noise = static_cast<float>(std::sqrt(1.0 - 2.0 * kPersonShare));
  std::vector<double> rates(thresholds.size(), 0.0);
  for (size_t i = 0; i < strangers; ++i) {
    const double own = person * numbers.Next();
    float best = std::numeric_limits<float>::lowest();
    for (const float effect : gallery) {
      best = std::max(best, effect + noise * static_cast<float>(numbers.Next()));
    }
    for (size_t t = 0; t < thresholds.size(); ++t) {
      if (kSpread * (own + static_cast<double>(best)) >= thresholds[t]) {
        rates[t] += 1.0 / static_cast<double>(strangers);
      }
    }
  }
  return rates;
}

}  // namespace facegate
