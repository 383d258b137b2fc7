#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "face/base/status.h"
#include "trainer/learn/training.h"
#include "trainer/photos/loader.h"
#include "trainer/report/run_log.h"
#include "trainer/report/run_rows.h"
#include "trainer/run/bad_photos.h"
#include "trainer/run/batch_feed.h"
#include "trainer/run/fit.h"
#include "trainer/run/fit_checkpoints.h"
#include "trainer/run/fit_progress.h"
#include "trainer/run/guard.h"
#include "trainer/run/judge.h"
#include "trainer/run/learner.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"

namespace facegate {

// The loop over batches of a run that has begun.
class FitLoop {
 public:
  // It works with these, all of which outlive it.
  struct Parts {
    const RunFacts& facts;
    Session& session;
    Learner& learner;
    Judge& judge;
    FitCheckpoints& checkpoints;
    Loader& loader;
    BadPhotos& bad_photos;
    report::RunLog& log;
    TrainingGuard& guard;
  };
  // Ends where `options`, which outlive it, say so.
  FitLoop(const Parts& parts, const FitOptions& options);

  // Learns, evaluates and writes checkpoints until training ends; the last state may be in none.
  // kFailedPrecondition where many batches in a row have no finite loss or gradient.
  StatusOr<FitEnd> Run();

 private:
  using Clock = std::chrono::steady_clock;

  // Why training ends before its last batch; nothing where it goes on.
  StatusOr<std::optional<FitEnd>> EndNow();
  Status LearnOne();
  Status AfterBatch(int64_t batches);
  Status AfterSkipped(const Batch& batch, const StepReport& step);
  Status Evaluate();
  bool evaluates_after(int64_t batches) const;
  report::StepRow RowOfStep(const StepReport& step, size_t photos);

  const Parts parts_;
  Training& training_;
  BatchFeed feed_;
  const FitOptions& options_;
  const int64_t begin_;    // batches that were learned before
  const int64_t stop_at_;  // batches in all; 0: never
  FitProgress progress_;
  Clock::time_point last_step_;
  int64_t skipped_in_a_row_ = 0;
};

}  // namespace facegate
