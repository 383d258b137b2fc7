#pragma once

#include <memory>
#include <thread>

#include "face/base/stop_check.h"

namespace facegate {

// Who follows changes in the background.
class Follower {
 public:
  virtual ~Follower() = default;
  // Takes as long as it needs, and ends within milliseconds when `stop` is not OK. Throws nothing.
  virtual void FollowNow(const StopCheck& stop) = 0;
  // Lets go of what is no more, on the same thread, where another one that follows would be waited
  // for. Takes little time; FollowNow() comes later. Throws nothing.
  virtual void LetGo() {}
};

// A thread that lets followers follow, one after the other. Thread-safe.
class FollowThread {
 public:
  // Throws std::system_error where the system has no thread.
  FollowThread();
  // Waits for the turn of who follows now, unless it is that thread itself which lets go of this.
  ~FollowThread();
  FollowThread(const FollowThread&) = delete;
  FollowThread& operator=(const FollowThread&) = delete;

  // Soon `follower` follows, if it is there still; one that waits for its turn has it once. Where
  // there is no memory for that, nothing happens.
  void Ask(std::weak_ptr<Follower> follower) noexcept;
  // Until nobody waits for a turn and nobody has one; for tests.
  void AwaitIdle();

 private:
  // What the thread and this share: the thread may hold the last follower, which may hold this.
  struct State;

  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace facegate
