#pragma once

#include <chrono>
#include <cstdint>

namespace facegate {

// Time, so that tests can hold it still. Thread-safe.
class Clock {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;
  // Monotonic; for deadlines and durations.
  virtual TimePoint Now() const = 0;
  // Microseconds since 1970-01-01 UTC; for what is written down.
  virtual int64_t UnixMicros() const = 0;

  // The machine's clock.
  static Clock& System();
};

// An answer is of no more use after its deadline; TimePoint::max() means never.
using Deadline = Clock::TimePoint;

}  // namespace facegate
