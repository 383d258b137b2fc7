#include "index/rows/approximate/background_threads.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

#include "face/base/mutex.h"

namespace facegate {
namespace {

// Of 19 at most; 0 is that of the others.
constexpr int kNiceness = 10;

// The priority of the calling thread alone, as Linux has it. Where that is not allowed nothing
// happens.
void GiveWay() { (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness); }

class SharedWork {
 public:
  SharedWork(size_t count, const std::function<void(size_t, size_t)>& work)
      : count_(count), work_(work) {}

  void Run(size_t thread) noexcept {
    try {
      for (;;) {
        const size_t number = next_.fetch_add(1, std::memory_order_relaxed);
        if (number >= count_) return;
        work_(thread, number);
      }
    } catch (...) {
      next_.store(count_, std::memory_order_relaxed);
      const MutexLock lock(mutex_);
      if (failure_ == nullptr) failure_ = std::current_exception();
    }
  }
  void Rethrow() {
    const MutexLock lock(mutex_);
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

 private:
  const size_t count_;
  const std::function<void(size_t, size_t)>& work_;
  std::atomic<size_t> next_{0};
  Mutex mutex_;
  std::exception_ptr failure_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace

size_t BackgroundThreads() { return std::max(1U, std::thread::hardware_concurrency() / 2); }

void ForEachOnThreads(size_t threads, size_t count,
                      const std::function<void(size_t thread, size_t number)>& work) {
  SharedWork shared(count, work);
  std::vector<std::jthread> others;
  others.reserve(threads);
  for (size_t thread = 0; thread < std::min(threads, count); ++thread) {
    try {
      others.emplace_back([&shared, thread] {
        GiveWay();
        shared.Run(thread);
      });
    } catch (const std::system_error&) {
      break;
    }
  }
  if (others.empty()) shared.Run(0);
  others.clear();
  shared.Rethrow();
}

}  // namespace facegate
