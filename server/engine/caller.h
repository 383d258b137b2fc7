#pragma once

#include <atomic>
#include <memory>

#include "face/base/clock.h"
#include "face/base/status.h"

namespace facegate {

// Tells a piece of work who waits for it, as far as it must know: nothing is computed for a caller
// who has gone or whose deadline has passed. Copies speak of the same caller.
struct Caller {
  Deadline deadline = Deadline::max();
  // Set when the caller cancels; shared by the call and each of its faces in the batcher. Null:
  // this caller never goes.
  std::shared_ptr<const std::atomic<bool>> cancelled;

  // OK while the answer is wanted; kDeadline, or kCancelled (which has no reason: nobody reads it).
  Status Check(Clock::TimePoint now) const {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
      return {StatusCode::kCancelled, "the caller cancelled"};
    }
    if (now >= deadline) return Refuse(Reason::kDeadline, "the deadline passed before the answer");
    return OkStatus();
  }
};

}  // namespace facegate
