#include "server/rpc/call_deadline.h"

namespace facegate {

Deadline MonotonicDeadline(std::chrono::system_clock::time_point wall,
                           std::chrono::system_clock::time_point wall_now, Clock::TimePoint now) {
  using std::chrono::system_clock;
  if (wall == system_clock::time_point::max() || wall < system_clock::time_point()) {
    return Deadline::max();
  }
  const auto left = wall - wall_now;
  if (left >= Deadline::max() - now) return Deadline::max();
  return now + std::chrono::duration_cast<Clock::TimePoint::duration>(left);
}

}  // namespace facegate
