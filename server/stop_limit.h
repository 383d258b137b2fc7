#pragma once

#include <chrono>
#include <thread>

#include "face/base/clock.h"
#include "face/base/mutex.h"

namespace facegate {

// Bounds how long a stop may take, whatever the calls in progress do: unless the object is
// destroyed within `limit`, the process ends at once with `exit_code` and an error in the log. The
// store survives that like a power loss.
class StopLimit {
 public:
  StopLimit(std::chrono::milliseconds limit, int exit_code);
  ~StopLimit();
  StopLimit(const StopLimit&) = delete;
  StopLimit& operator=(const StopLimit&) = delete;

 private:
  void Watch(Deadline deadline, int exit_code);

  Mutex mutex_;
  CondVar wake_;
  bool done_ FACEGATE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace facegate
