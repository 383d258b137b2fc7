#pragma once

#include <deque>
#include <memory>
#include <thread>

#include "face/base/mutex.h"
#include "face/base/stop_check.h"

namespace facegate {

// Who follows changes in the background.
class Follower {
 public:
  virtual ~Follower() = default;
  // Takes as long as it needs, and ends within milliseconds when `stop` is not OK. Throws nothing.
  virtual void FollowNow(const StopCheck& stop) = 0;
};

// A thread that lets followers follow, one after the other. Thread-safe.
class FollowThread {
 public:
  // Throws std::system_error where the system has no thread.
  FollowThread();
  ~FollowThread();
  FollowThread(const FollowThread&) = delete;
  FollowThread& operator=(const FollowThread&) = delete;

  // Soon `follower` follows, if it is there still; one that waits for its turn has it once. Where
  // there is no memory for that, nothing happens.
  void Ask(std::weak_ptr<Follower> follower) noexcept;
  // Until nobody waits for a turn and nobody has one; for tests.
  void AwaitIdle();

 private:
  void Run();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::weak_ptr<Follower>> waiting_ FACEGATE_GUARDED_BY(mutex_);
  bool busy_ FACEGATE_GUARDED_BY(mutex_) = false;
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace facegate
