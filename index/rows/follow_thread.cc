#include "index/rows/follow_thread.h"

#include <algorithm>
#include <utility>

#include "face/base/status.h"

namespace facegate {

FollowThread::FollowThread() : thread_([this] { Run(); }) {}

FollowThread::~FollowThread() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void FollowThread::Ask(std::weak_ptr<Follower> follower) noexcept {
  try {
    const MutexLock lock(mutex_);
    const bool waits = std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& other) {
      return !other.owner_before(follower) && !follower.owner_before(other);
    });
    if (waits) return;
    waiting_.push_back(std::move(follower));
  } catch (...) {
    return;
  }
  changed_.NotifyAll();
}

void FollowThread::AwaitIdle() {
  const MutexLock lock(mutex_);
  while (!closed_ && (busy_ || !waiting_.empty())) changed_.Wait(mutex_);
}

void FollowThread::Run() {
  for (;;) {
    std::shared_ptr<Follower> follower;
    {
      const MutexLock lock(mutex_);
      busy_ = false;
      changed_.NotifyAll();
      while (!closed_ && waiting_.empty()) changed_.Wait(mutex_);
      if (closed_) return;
      busy_ = true;
      follower = waiting_.front().lock();
      waiting_.pop_front();
    }
    if (follower == nullptr) continue;
    follower->FollowNow([this, &follower]() -> Status {
      // Nobody else has it any more.
      if (follower.use_count() == 1) return Status(StatusCode::kCancelled, "the index has gone");
      const MutexLock lock(mutex_);
      return closed_ ? Status(StatusCode::kCancelled, "the gallery is closed") : OkStatus();
    });
  }
}

}  // namespace facegate
