#pragma once

#include <chrono>

#include "face/base/clock.h"

namespace facegate {

// Returns when a call must be answered, by our monotonic clock, which shows `now`. gRPC tells
// deadlines by the wall clock, which shows `wall_now` and may be set. Deadline::max() where there
// is none: gRPC gives the largest time for a call without one, and a time before 1970 for one that
// nanoseconds cannot hold (centuries off, as some clients say "never").
Deadline MonotonicDeadline(std::chrono::system_clock::time_point wall,
                           std::chrono::system_clock::time_point wall_now, Clock::TimePoint now);

}  // namespace facegate
