#pragma once

#include <cstdint>
#include <string>

#include "trainer/run/session.h"
#include "trainer/run/status_line.h"

namespace facegate {

// Shows how far a sweep is, counted in whole trainings: a line that is drawn again on a terminal, a
// plain one every half minute otherwise. Not thread-safe.
class SweepProgress {
 public:
  // `session` outlives it. Of `total` trainings, `done` were over before this call.
  SweepProgress(Session& session, double done, double total);

  ~SweepProgress() { line_.End(); }
  SweepProgress(const SweepProgress&) = delete;
  SweepProgress& operator=(const SweepProgress&) = delete;

  // A trial, called `what`, begins at a share of its training.
  void Begin(const std::string& what, double share);
  // It is at this batch now.
  void Show(int64_t batches, int64_t total, const std::string& best);
  // It goes no further: what was left of it up to `share` is not to be waited for.
  void End(double share);

 private:
  StatusLine& line_;  // the session's
  const double begin_;
  const double total_;
  double done_;
  double trial_begin_ = 0.0;
  std::string what_;
};

// "12 %  1.9 trainings/h  1:02:03 left", `begin` of `total` trainings having been done before.
std::string SweepProgressText(double begin, double done, double total, double seconds);

}  // namespace facegate
