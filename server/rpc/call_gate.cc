#include "server/rpc/call_gate.h"

#include <chrono>

namespace facegate {
namespace {

constexpr std::chrono::seconds kRetryWhileStarting{1};
// Another server, or this one after its restart.
constexpr std::chrono::seconds kRetryWhileStopping{1};

}  // namespace

Status CallGate::Enter() {
  const MutexLock lock(mutex_);
  switch (state_) {
    case State::kStarting:
      return WithRetryAfter(
          Refuse(Reason::kNotReady, "the server is still loading its model and gallery"),
          kRetryWhileStarting);
    case State::kOpen:
      ++inside_;
      return OkStatus();
    case State::kClosed:
      break;
  }
  return WithRetryAfter(Refuse(Reason::kShuttingDown, "the server is shutting down"),
                        kRetryWhileStopping);
}

void CallGate::Leave() {
  const MutexLock lock(mutex_);
  // This happens under the lock: the waiter may destroy the gate as soon as it can see that nobody
  // is inside.
  if (--inside_ == 0) empty_.NotifyAll();
}

void CallGate::Open() {
  const MutexLock lock(mutex_);
  if (state_ == State::kStarting) state_ = State::kOpen;
}

void CallGate::Close() {
  const MutexLock lock(mutex_);
  state_ = State::kClosed;
}

bool CallGate::WaitUntilEmpty(Deadline deadline) {
  const MutexLock lock(mutex_);
  while (inside_ > 0) {
    if (!empty_.WaitUntil(mutex_, deadline)) return inside_ == 0;
  }
  return true;
}

}  // namespace facegate
