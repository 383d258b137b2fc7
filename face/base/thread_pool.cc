#include "face/base/thread_pool.h"

#include <fmt/format.h>

#include <utility>

#include "face/base/check.h"

namespace facegate {

ThreadPool::ThreadPool(int threads, size_t max_waiting)
    : thread_count_(threads), max_waiting_(max_waiting) {
  FACEGATE_CHECK(threads >= 1);
  const MutexLock lock(join_mutex_);
  threads_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() { Stop(); }

Status ThreadPool::Submit(std::function<void()> task) {
  {
    const MutexLock lock(mutex_);
    if (closed_) return Refuse(Reason::kShuttingDown, "the server is shutting down");
    // A free thread takes one of the waiting tasks at once, so only the rest really wait.
    const size_t free = static_cast<size_t>(thread_count_) - running_;
    if (tasks_.size() >= max_waiting_ + free) {
      return Refuse(
          Reason::kQueueFull,
          fmt::format("{} requests are already waiting, which is the limit", max_waiting_));
    }
    tasks_.push_back(std::move(task));
  }
  wake_.NotifyOne();
  return OkStatus();
}

void ThreadPool::Stop() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  wake_.NotifyAll();
  const MutexLock lock(join_mutex_);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ThreadPool::Run() {
  for (;;) {
    std::function<void()> task;
    {
      const MutexLock lock(mutex_);
      while (tasks_.empty() && !closed_) wake_.Wait(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
      ++running_;
    }
    task();
    task = nullptr;  // what it holds is freed before the thread counts as free
    const MutexLock lock(mutex_);
    --running_;
  }
}

}  // namespace facegate
