#pragma once

#include <cstddef>

#include "face/base/clock.h"
#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

// The door of the server: which calls may enter, and how many are inside. Thread-safe.
class CallGate {
 public:
  // OK: the call is counted, and Leave() must follow. kNotReady before Open(), kShuttingDown after
  // Close(), both with the time after which to retry.
  Status Enter();
  void Leave();

  void Open();
  // Closes for good: Open() after Close() does nothing.
  void Close();
  // False when calls were still inside at `deadline`.
  bool WaitUntilEmpty(Deadline deadline);

 private:
  enum class State { kStarting, kOpen, kClosed };

  Mutex mutex_;
  CondVar empty_;
  State state_ FACEGATE_GUARDED_BY(mutex_) = State::kStarting;
  size_t inside_ FACEGATE_GUARDED_BY(mutex_) = 0;
};

}  // namespace facegate
