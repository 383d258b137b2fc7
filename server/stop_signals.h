#pragma once

#include <atomic>
#include <thread>

#include "face/base/mutex.h"

namespace facegate {

// SIGTERM and SIGINT as something to wait for. The first asks to stop; the second ends the process
// at once with 128 + its number (the store survives that like a power loss). SIGPIPE is ignored.
// At most one at a time in a process.
class StopSignals {
 public:
  StopSignals();
  // The signals have their default effect again.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  bool requested() const { return requested_.load(); }
  // Until a signal has come.
  void Wait();

 private:
  void Listen();

  int read_end_ = -1;  // of the pipe that the handler writes to
  int write_end_ = -1;
  std::atomic<bool> requested_ = false;
  Mutex mutex_;
  CondVar wake_;
  std::thread thread_;
};

}  // namespace facegate
