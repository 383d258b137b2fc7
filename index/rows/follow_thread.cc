#include "index/rows/follow_thread.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

struct FollowThread::State {
  struct Turn {
    std::weak_ptr<Follower> follower;
    bool has_let_go = false;  // since it asked
  };

  Mutex mutex;
  CondVar changed;
  std::deque<Turn> waiting FACEGATE_GUARDED_BY(mutex);
  bool busy FACEGATE_GUARDED_BY(mutex) = false;
  bool closed FACEGATE_GUARDED_BY(mutex) = false;

  void Run();
  // Nothing once it is closed.
  std::shared_ptr<Follower> Next(bool& is_closed);
  // Whether `follower` is to go on; meanwhile others let go.
  Status AskFor(const std::shared_ptr<Follower>& follower);
  // One that waits and has not let go; null where there is none but `follower`.
  std::shared_ptr<Follower> NextToLetGo(const std::shared_ptr<Follower>& follower)
      FACEGATE_REQUIRES(mutex);
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
    const auto turn = std::find_if(waiting.begin(), waiting.end(), [&](const auto& other) {
      return !other.follower.owner_before(follower) && !follower.owner_before(other.follower);
    });
    if (turn != waiting.end()) {
      turn->has_let_go = false;
    } else {
      waiting.push_back({.follower = std::move(follower)});
    }
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
  std::shared_ptr<Follower> follower = waiting.front().follower.lock();
  waiting.pop_front();
  return follower;
}

void FollowThread::State::Run() {
  for (bool is_closed = false; !is_closed;) {
    const std::shared_ptr<Follower> follower = Next(is_closed);
    if (follower == nullptr) continue;
    follower->FollowNow([this, &follower] { return AskFor(follower); });
  }
}

std::shared_ptr<Follower> FollowThread::State::NextToLetGo(
    const std::shared_ptr<Follower>& follower) {
  for (Turn& turn : waiting) {
    if (std::exchange(turn.has_let_go, true)) continue;
    std::shared_ptr<Follower> other = turn.follower.lock();
    if (other != nullptr && other != follower) return other;
  }
  return nullptr;
}

Status FollowThread::State::AskFor(const std::shared_ptr<Follower>& follower) {
  std::shared_ptr<Follower> other;
  {
    const MutexLock lock(mutex);
    if (closed) return Status(StatusCode::kCancelled, "the gallery is closed");
    other = NextToLetGo(follower);
  }
  if (other != nullptr) other->LetGo();
  other.reset();
  // Nobody else has it any more.
  return follower.use_count() == 1 ? Status(StatusCode::kCancelled, "the index has gone")
                                   : OkStatus();
}

}  // namespace facegate
