#pragma once

#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/run/session.h"
#include "trainer/sweep/fit_trial.h"
#include "trainer/sweep/scoring.h"
#include "trainer/sweep/sweep_plan.h"
#include "trainer/sweep/sweep_record.h"

namespace facegate {

struct SweepOptions {
  std::string folder{};
  std::optional<SweepPlan> plan{};  // none: that of the sweep that is there
  bool retry_failed = false;        // trials that failed are tried again
};

struct SweepReport {
  std::string folder{};
  SweepRecord record{};
  PlannedSweep planned{};
  Scoring scoring{};
  bool stopped = false;  // the same call goes on
};

// Trains the trials of a plan in the folder, or those that an earlier call has left: what was
// learned is not learned again. A trial that fails is marked with its reason, and the others go on.
// One of which a process was killed goes on from its checkpoint, unless that happens again and
// again.
// Asked to stop, by a signal too, it ends with a checkpoint of the trial that is being trained.
// After each trial the files of the folder say how it stands. Data and recipes are tried before the
// first trial of a call begins, and again where a trial fails: it ends with their error where the
// data of no trial can be opened. It ends too where a trial of one process says kUnavailable, as it
// does of a card that failed, and where one says kAborted: its processes cannot be started. While
// it is open no other process opens the folder. kFailedPrecondition where the folder holds another
// sweep or other things, and with the reason of the first trial where all have failed.
StatusOr<SweepReport> RunSweep(const SweepOptions& options, Session& session,
                               const TrainTrial& train = FitTrial);

}  // namespace facegate
