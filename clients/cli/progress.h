#pragma once

#include <chrono>
#include <mutex>
#include <ostream>
#include <string>

namespace facegate::cli {

// "[####......] 40/100  40%  12.3/s  0:05 left  2 failed".
std::string ProgressLine(size_t done, size_t total, size_t failed, double seconds);

// Shows how far a long job is: one line that is drawn again on a terminal, a plain line every few
// seconds otherwise. The trainer has a bar of its own, because clients know nothing of the trainer;
// this one counts what failed, too, and is thread-safe.
class Progress {
 public:
  // `out` outlives the object and is written to by nobody else until Finish().
  Progress(std::ostream& out, bool terminal, size_t total);

  // One more is done.
  void Advance(bool ok);
  // Shows the last state.
  void Finish();

 private:
  using Clock = std::chrono::steady_clock;

  void Draw(Clock::time_point now);

  std::ostream& out_;
  const bool terminal_;
  const size_t total_;
  const Clock::time_point start_;

  // Guards all below, and keeps lines of several threads apart.
  std::mutex mutex_;
  size_t done_ = 0;
  size_t failed_ = 0;
  Clock::time_point last_drawn_;
};

}  // namespace facegate::cli
