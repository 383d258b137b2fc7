#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "face/base/mutex.h"

namespace facegate {

// Does what an open gallery must do by itself: calls `work` every `interval`, on a thread of its
// own, from one interval after its construction until its destruction, which waits for a call that
// is at work. `work` must be quick, a second at most.
class UpkeepThread {
 public:
  UpkeepThread(std::chrono::milliseconds interval, std::function<void()> work);
  ~UpkeepThread();
  UpkeepThread(const UpkeepThread&) = delete;
  UpkeepThread& operator=(const UpkeepThread&) = delete;

 private:
  void Run();

  const std::chrono::milliseconds interval_;
  const std::function<void()> work_;

  Mutex mutex_;
  CondVar wake_;
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace facegate
