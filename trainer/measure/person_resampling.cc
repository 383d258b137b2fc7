#include "trainer/measure/person_resampling.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "face/base/split_mix.h"

namespace facegate {
namespace {

constexpr double kTail = 0.025;

// The value that a share `way` of the ascending ones lies below, between the nearest two.
double Quantile(const std::vector<double>& ascending, double way) {
  const double place = way * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<size_t>(std::floor(place));
  const size_t above = std::min(below + 1, ascending.size() - 1);
  const double part = place - static_cast<double>(below);
  return (1.0 - part) * ascending[below] + part * ascending[above];
}

size_t PeopleOf(std::span<const PersonTrial> trials) {
  std::unordered_set<size_t> people;
  for (const PersonTrial& trial : trials) {
    people.insert(trial.first);
    people.insert(trial.second);
  }
  return people.size();
}

}  // namespace

PersonResampling::PersonResampling(size_t people, uint64_t seed, size_t rounds) : people_(people) {
  SplitMix64 numbers(seed);
  drawn_.resize(people == 0 ? 0 : rounds, std::vector<uint16_t>(people));
  for (std::vector<uint16_t>& round : drawn_) {
    for (size_t i = 0; i < people_; ++i) ++round[numbers.Below(people_)];
  }
}

Share PersonResampling::ErrorShare(std::span<const PersonTrial> trials) const {
  const auto errors = static_cast<size_t>(
      std::count_if(trials.begin(), trials.end(), [](const auto& one) { return one.error; }));
  if (errors == 0 || errors == trials.size()) {
    const size_t people = PeopleOf(trials);
    return ShareOf(errors == 0 ? 0 : people, people);
  }
  std::vector<double> shares;
  shares.reserve(drawn_.size());
  for (const std::vector<uint16_t>& round : drawn_) {
    double all = 0.0;
    double wrong = 0.0;
    for (const PersonTrial& trial : trials) {
      const double weight = trial.first == trial.second
                                ? round[trial.first]
                                : static_cast<double>(round[trial.first]) * round[trial.second];
      all += weight;
      if (trial.error) wrong += weight;
    }
    if (all > 0.0) shares.push_back(wrong / all);
  }
  Share share = ShareOf(errors, trials.size());
  if (shares.empty()) return share;
  std::sort(shares.begin(), shares.end());
  share.low = Quantile(shares, kTail);
  share.high = Quantile(shares, 1.0 - kTail);
  return share;
}

}  // namespace facegate
