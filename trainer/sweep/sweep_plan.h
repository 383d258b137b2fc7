#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/run/recipe.h"
#include "trainer/sweep/trial_plan.h"

namespace facegate {

// All that a sweep is: equal plans have equal trials.
struct SweepPlan {
  Recipe base{};                     // KeptBase()
  std::vector<std::string> tries{};  // as ParseTry() takes them
  SweepMethod method = SweepMethod::kRandom;
  std::optional<size_t> trials{};  // none: 20, or the whole grid
  uint64_t seed = 1;
  int64_t eta = 3;                       // of halving: the share that goes on is 1 / eta
  std::optional<double> first_epochs{};  // of halving: the least training of the first round
  std::vector<std::string> score_by{};   // names of sets; empty: the people held out
};

// The recipe with absolute paths, and otherwise as it was: a sweep keeps it for each place that
// it may be read at.
Recipe KeptBase(const Recipe& recipe);

// What follows from a plan.
struct PlannedSweep {
  std::vector<TriedKey> space{};
  std::vector<Settings> trials{};
  std::vector<SweepRound> rounds{};
};

// kInvalidField names the option at fault.
StatusOr<PlannedSweep> PlanSweep(const SweepPlan& plan);

// A plan without its base, as JSON.
std::string PlanToJson(const SweepPlan& plan);
// kDataLoss for what PlanToJson() did not write. The base is left as it is.
Status PlanFromJson(const std::string& json, SweepPlan& plan);

// OK where a sweep that was begun with `before` may go on with `now`: the same, or of random trials
// more, and a base that a run may go on with (CheckMayChange()) and that is not longer.
// kFailedPrecondition says what is another.
Status CheckSamePlan(const std::string& folder, const SweepPlan& before, const SweepPlan& now);

}  // namespace facegate
