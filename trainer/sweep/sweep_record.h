#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/sweep/sweep_plan.h"

namespace facegate {

enum class TrialState {
  kWaiting,  // nothing was learned yet
  kBegun,    // it was trained for a part, and may go on
  kOut,      // of halving: others went on in its place
  kDone,     // it was trained to the end
  kFailed    // see TrialRecord::reason
};

// "waiting", "begun", "out", "done", "failed".
std::string_view TrialStateName(TrialState state);

struct TrialRecord {
  std::string name{};  // "trial-0001": its folder
  Settings settings{};
  TrialState state = TrialState::kWaiting;
  // After each round that it was in: the best of its evaluations so far, of which more is better;
  // an eer is negative.
  std::vector<double> scores{};
  int64_t best_batch = 0;
  double epochs = 0.0;   // that it was trained for, as far as its rounds are over
  double seconds = 0.0;  // of training
  std::string reason{};  // why it failed, or ended early; else empty
  // How often in a row the program ended while it was trained, and its newest checkpoint then.
  int64_t ends = 0;
  std::string checkpoint{};

  std::optional<double> score() const;
};

// What is known of a sweep.
struct SweepRecord {
  SweepPlan plan{};
  std::vector<TrialRecord> trials{};
};

// The trials of a plan, of which nothing is known yet.
std::vector<TrialRecord> NewTrials(const std::vector<Settings>& settings);

// The numbers of the trials, the best first: by the length that they were trained for, then by
// score, then by number. Those without a score come last.
std::vector<size_t> BestFirst(const std::vector<TrialRecord>& trials);
// The best of those that were trained the longest; none without a score.
std::optional<size_t> BestTrial(const std::vector<TrialRecord>& trials);

// sweep.json and base.yaml in the folder, each written atomically.
Status WriteSweep(const std::string& folder, const SweepRecord& record);
// kNotFound where there is no sweep; kDataLoss, with the file, where it cannot be read.
StatusOr<SweepRecord> ReadSweep(const std::string& folder);

}  // namespace facegate
