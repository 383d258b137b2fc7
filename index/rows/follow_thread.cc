#include "index/rows/follow_thread.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

struct FollowThread::State {
  Mutex mutex;
  CondVar changed;
  std::deque<std::weak_ptr<Follower>> waiting FACEGATE_GUARDED_BY(mutex);
  bool busy FACEGATE_GUARDED_BY(mutex) = false;
  bool closed FACEGATE_GUARDED_BY(mutex) = false;

  void Run();
  // Nothing once it is closed.
  std::shared_ptr<Follower> Next(bool& is_closed);
};

FollowThread::FollowThread()
    : state_(std::make_shared<State>()), thread_([state = state_] { state->Run(); }) {}

FollowThread::~FollowThread() {
  {
    const MutexLock lock(state_->mutex);
    state_->closed = true;
  }
  state_->changed.NotifyAll();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void FollowThread::Ask(std::weak_ptr<Follower> follower) noexcept {
  try {
    const MutexLock lock(state_->mutex);
    auto& waiting = state_->waiting;
    const bool waits = std::any_of(waiting.begin(), waiting.end(), [&](const auto& other) {
      return !other.owner_before(follower) && !follower.owner_before(other);
    });
    if (!waits) waiting.push_back(std::move(follower));
  } catch (...) {
    return;
  }
  state_->changed.NotifyAll();
}

void FollowThread::AwaitIdle() {
  const MutexLock lock(state_->mutex);
  while (!state_->closed && (state_->busy || !state_->waiting.empty())) {
    state_->changed.Wait(state_->mutex);
  }
}

std::shared_ptr<Follower> FollowThread::State::Next(bool& is_closed) {
  const MutexLock lock(mutex);
  busy = false;
  changed.NotifyAll();
  while (!closed && waiting.empty()) changed.Wait(mutex);
  is_closed = closed;
  if (closed) return nullptr;
  busy = true;
  std::shared_ptr<Follower> follower = waiting.front().lock();
  waiting.pop_front();
  return follower;
}

void FollowThread::State::Run() {
  for (bool is_closed = false; !is_closed;) {
    const std::shared_ptr<Follower> follower = Next(is_closed);
    if (follower == nullptr) continue;
    follower->FollowNow([this, &follower]() -> Status {
      // Nobody else has it any more.
      if (follower.use_count() == 1) return Status(StatusCode::kCancelled, "the index has gone");
      const MutexLock lock(mutex);
      return closed ? Status(StatusCode::kCancelled, "the gallery is closed") : OkStatus();
    });
  }
}

}  // namespace facegate
