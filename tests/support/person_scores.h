#pragma once

#include <cstdint>
#include <vector>

#include "face/base/status.h"
#include "face/decide/calibration_builder.h"

namespace facegate {

// Generated impostor scores of people who differ, with rates that are known: two people with the
// effects a and b (normal, mean 0, variance kPersonShare) come to the cosine
//   kSpread * (a + b + noise), noise of the variance 1 - 2 * kPersonShare.
// Somebody with a high effect is taken for everybody more easily.
namespace person_scores {

inline constexpr double kPersonShare = 0.08;
inline constexpr double kSpread = 0.12;

// The share of strangers, of all people there could be, who are found in a gallery of `identities`.
double TrueFpir(double threshold, double identities);

}  // namespace person_scores

// A set of such people, drawn with a seed.
class PersonScores {
 public:
  PersonScores(size_t people, uint64_t seed);

  size_t people() const { return effects_.size(); }
  // The score of two people; the same for both orders.
  float Score(size_t a, size_t b) const { return scores_[a * effects_.size() + b]; }
  StatusOr<Calibration> Calibrate() const;

 private:
  std::vector<double> effects_;
  std::vector<float> scores_;
};

// The share of `strangers` whose best score in a gallery of `identities` is `threshold` or above,
// for each of `thresholds`. All scores are drawn.
std::vector<double> SimulateFpir(const std::vector<double>& thresholds, size_t identities,
                                 size_t strangers, uint64_t seed);

}  // namespace facegate
