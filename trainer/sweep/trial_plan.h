#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/sweep/search_space.h"

namespace facegate {

// So many where nothing says how many.
inline constexpr size_t kUsualTrials = 20;

enum class SweepMethod {
  kRandom,  // each trial has values drawn at random
  kGrid,    // all combinations
  kHalving  // trials drawn at random begin with a little, and the best of them go on
};

// "random", "grid", "halving".
std::string_view SweepMethodName(SweepMethod method);
std::optional<SweepMethod> SweepMethodFromName(std::string_view name);

// The settings of all trials. Those of random trials follow from the seed and their number, so that
// more trials begin with the same ones; no two are equal, and where the values give no more of
// them there are fewer trials. A grid has `trials` at most: kInvalidField says how many it would
// have, and which range needs points.
StatusOr<std::vector<Settings>> DrawTrials(const std::vector<TriedKey>& space, SweepMethod method,
                                           std::optional<size_t> trials, uint64_t seed);

// A round of a sweep: the best trials so far, and which share of its whole training each of them is
// taken to.
struct SweepRound {
  size_t trials = 0;
  double share = 1.0;

  bool operator==(const SweepRound&) const = default;
};

// Successive halving: of each round the best `eta`-th part goes on, with `eta` times as much
// training, and the last round trains to the end. As many rounds as leave one trial, but none with
// less than `least_share`.
std::vector<SweepRound> HalvingRounds(size_t trials, int64_t eta, double least_share);

}  // namespace facegate
