#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "face/base/status.h"
#include "trainer/run/fit.h"
#include "trainer/run/recipe.h"

namespace facegate {

// One part of a trial: its training from where it stands up to an epoch.
struct TrialPart {
  Recipe recipe{};
  std::string folder{};
  double stop_at = 0.0;  // as FitOptions has it
  std::function<void(int64_t batches, int64_t total)> on_batch{};
  std::function<bool()> asked_to_stop{};
  decltype(FitOptions::join) join{};  // of several processes, as FitOptions has it
  int threads = 0;                    // of this process; 0: machine.threads
};
using TrainTrial = std::function<StatusOr<FitReport>(const TrialPart&)>;

// Trains by Fit(), whose lines go to fit.log in the folder. The best of the report is that of
// weights that were learned, also where those that it began with are better. Exceptions of
// libraries become errors: they are the end of the trial, not of the sweep.
StatusOr<FitReport> FitTrial(const TrialPart& part);

}  // namespace facegate
