#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

// Makes `count` things on threads of its own and hands them to one place in their order.
template <typename T>
class OrderedWork {
 public:
  using Make = std::function<StatusOr<T>(size_t)>;
  using Take = std::function<Status(size_t, T)>;

  // `make` runs on `threads` (>= 1) threads at once, for at most `ahead` (>= 1) numbers beyond the
  // one that is taken; `take` runs on the caller's thread, for 0, 1, 2 ... Ends with the first
  // error of either, when all threads have.
  static Status Run(size_t count, int threads, size_t ahead, const Make& make, const Take& take) {
    OrderedWork work(count, ahead, make);
    std::vector<std::thread> pool;
    pool.reserve(static_cast<size_t>(threads));
    for (int i = 0; i < threads; ++i) pool.emplace_back([&work] { work.MakeAll(); });
    Status status = work.TakeAll(take);
    work.Close();
    for (std::thread& thread : pool) thread.join();
    return status;
  }

 private:
  OrderedWork(size_t count, size_t ahead, const Make& make)
      : count_(count), ahead_(ahead), make_(make) {}

  void MakeAll() {
    for (;;) {
      size_t number = 0;
      {
        const MutexLock lock(mutex_);
        while (!closed_ && next_made_ < count_ && next_made_ >= next_taken_ + ahead_) {
          changed_.Wait(mutex_);
        }
        if (closed_ || next_made_ >= count_) return;
        number = next_made_++;
      }
      StatusOr<T> made = CatchToStatus("reading photos", [&] { return make_(number); });
      {
        const MutexLock lock(mutex_);
        ready_.emplace(number, std::move(made));
      }
      changed_.NotifyAll();
    }
  }

  Status TakeAll(const Take& take) {
    for (size_t number = 0; number < count_; ++number) {
      StatusOr<T> made = WaitFor(number);
      changed_.NotifyAll();
      if (!made.ok()) return made.status();
      FACEGATE_RETURN_IF_ERROR(take(number, *std::move(made)));
    }
    return OkStatus();
  }

  StatusOr<T> WaitFor(size_t number) {
    const MutexLock lock(mutex_);
    while (!ready_.contains(number)) changed_.Wait(mutex_);
    auto node = ready_.extract(number);
    next_taken_ = number + 1;
    return std::move(node.mapped());
  }

  void Close() {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    changed_.NotifyAll();
  }

  const size_t count_;
  const size_t ahead_;
  const Make& make_;

  Mutex mutex_;
  CondVar changed_;
  std::map<size_t, StatusOr<T>> ready_ FACEGATE_GUARDED_BY(mutex_);
  size_t next_made_ FACEGATE_GUARDED_BY(mutex_) = 0;
  size_t next_taken_ FACEGATE_GUARDED_BY(mutex_) = 0;
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;
};

}  // namespace facegate
