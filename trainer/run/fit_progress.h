#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>

#include "trainer/report/run_rows.h"

namespace facegate {

// Shows how far a training is: one line that is drawn again on a terminal, a plain line every half
// minute otherwise. Not thread-safe.
class FitProgress {
 public:
  // `out` outlives it. `total` batches in all, of which `begin` were learned before.
  FitProgress(std::ostream& out, bool terminal, int64_t begin, int64_t total, double epochs);

  void Show(const StepRow& row);
  // A sentence on a line of its own.
  void Say(const std::string& text);

 private:
  using Clock = std::chrono::steady_clock;

  std::ostream& out_;
  const bool terminal_;
  const int64_t begin_;
  const int64_t total_;
  const double epochs_;
  const Clock::time_point start_;
  Clock::time_point next_;
  double loss_ = 0.0;  // running means, so that the line is readable
  double accuracy_ = 0.0;
  bool any_ = false;
  bool on_line_ = false;
};

// "1:02:03", "4:05".
std::string DurationText(double seconds);

}  // namespace facegate
