#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "face/base/mutex.h"

namespace facegate {

// SIGTERM, SIGINT and SIGHUP (the terminal was closed) as something to wait for. The first asks to
// stop. A SIGTERM or SIGINT after it ends the process at once with 128 + its number (the store
// survives that like a power loss); a SIGHUP after it does nothing, because a closing terminal may
// send several. Where SIGHUP was ignored before (nohup) it stays ignored. SIGPIPE is ignored. At
// most one object at a time in a process.
class StopSignals {
 public:
  StopSignals();
  // The signals have their default effect again.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  bool requested() const { return requested_.load(); }
  // Waits until a signal has come.
  void Wait();
  // True once a signal has come, false after `limit` without one.
  bool WaitFor(std::chrono::milliseconds limit);

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
