#include "server/stop_limit.h"

#include <unistd.h>

#include "face/base/log.h"

namespace facegate {

StopLimit::StopLimit(std::chrono::milliseconds limit, int exit_code)
    : thread_([this, deadline = Clock::System().Now() + limit, exit_code] {
        Watch(deadline, exit_code);
      }) {}

StopLimit::~StopLimit() {
  {
    const MutexLock lock(mutex_);
    done_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void StopLimit::Watch(Deadline deadline, int exit_code) {
  {
    const MutexLock lock(mutex_);
    while (!done_) {
      if (!wake_.WaitUntil(mutex_, deadline)) break;
    }
    if (done_) return;
  }
  LogError("the stop takes too long: the process ends without waiting for the calls in progress");
  _exit(exit_code);
}

}  // namespace facegate
