#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

// A fixed number of threads that run tasks in the order in which they were given. The queue is
// bounded, so that overload is refused at the door instead of growing in memory. Thread-safe.
// A task must not throw, and must not call Stop().
class ThreadPool {
 public:
  // `threads` is at least 1; `max_waiting` tasks may wait beside those that run.
  ThreadPool(int threads, size_t max_waiting);
  // Stops.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // kQueueFull when `max_waiting` tasks wait and no thread is free, kShuttingDown after Stop(). On
  // an error the task was not and will not be run.
  Status Submit(std::function<void()> task);
  // Refuses new tasks, runs those that wait, and returns when all are done. Idempotent.
  void Stop();

  int size() const { return thread_count_; }

 private:
  void Run();

  const int thread_count_;
  const size_t max_waiting_;

  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> tasks_ FACEGATE_GUARDED_BY(mutex_);
  size_t running_ FACEGATE_GUARDED_BY(mutex_) = 0;
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;

  Mutex join_mutex_;  // held while joining, so that each caller of Stop() returns after the end
  std::vector<std::thread> threads_ FACEGATE_GUARDED_BY(join_mutex_);
};

}  // namespace facegate
