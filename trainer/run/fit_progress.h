#pragma once

#include <cstdint>
#include <string>

#include "trainer/report/run_rows.h"
#include "trainer/run/session.h"
#include "trainer/run/status_line.h"

namespace facegate {

// Shows how far a training is: one line that is drawn again on a terminal, a plain line every half
// minute otherwise. Not thread-safe.
class FitProgress {
 public:
  // `session` outlives it. `total` batches in all, of which `begin` were learned before.
  FitProgress(Session& session, int64_t begin, int64_t total, double epochs);

  ~FitProgress() { line_.End(); }
  FitProgress(const FitProgress&) = delete;
  FitProgress& operator=(const FitProgress&) = delete;

  void Show(const report::StepRow& row);

 private:
  StatusLine& line_;  // the session's
  const int64_t begin_;
  const int64_t total_;
  const double epochs_;
  double loss_ = 0.0;  // running means, so that the line is readable
  double accuracy_ = 0.0;
  bool any_ = false;
};

}  // namespace facegate
