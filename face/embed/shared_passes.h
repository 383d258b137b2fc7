#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "face/base/status.h"
#include "face/base/thread_pool.h"

namespace facegate {

// Runs the independent parts of one job side by side: on the calling thread and on helpers that all
// callers share. Thread-safe.
class SharedPasses {
 public:
  // `helpers` threads beside each caller's own; 0: the caller does everything.
  explicit SharedPasses(int helpers);

  // Calls pass(0) to pass(count - 1), each once, in any order and on any of the threads; returns
  // when all have ended, with the first error in their order. Helpers that are busy with another
  // job are not waited for: the caller then does more itself. `pass` must not throw.
  Status Run(size_t count, const std::function<Status(size_t)>& pass);

 private:
  const std::unique_ptr<ThreadPool> helpers_;  // null: none
};

}  // namespace facegate
