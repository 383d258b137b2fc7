#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "face/base/mutex.h"
#include "index/store/template_store.h"

namespace facegate {

// Turns "deleted" into "erased": `delay` after a deletion it compacts the store, so that the
// deleted bytes leave its files. Deletions that come meanwhile share the compaction; one that fails
// is done again. After a compaction it rests for kRest times as long as that took, so that a large
// store is not rewritten without pause; at most for kLongestRest. So what was deleted is erased
// within `delay` and kLongestRest and the time of two compactions, and within little more than
// `delay` where a compaction takes seconds. Thread-safe.
//
// The destructor ends a compaction that is at work. It does what is still to be done if that is
// little (kMaxBytesAtClose), and ends that, too, when it takes longer than `longest_close`. What is
// left, also by a process that is killed, has a mark in the store: the next one begins with that.
class Eraser {
 public:
  static constexpr int kRest = 15;
  static constexpr std::chrono::hours kLongestRest{12};
  static constexpr uint64_t kMaxBytesAtClose = uint64_t{64} << 20;  // about a second
  static constexpr std::chrono::seconds kLongestClose{2};

  // `store` must outlive the Eraser.
  Eraser(TemplateStore& store, std::chrono::milliseconds delay,
         std::chrono::milliseconds longest_close = kLongestClose);
  ~Eraser();
  Eraser(const Eraser&) = delete;
  Eraser& operator=(const Eraser&) = delete;

  // Something was deleted.
  void Request();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void Run();
  // Waits for a request, for the delay after it and until `rested`; false when it is closed.
  bool WaitForWork(Time rested);
  void Compact(std::atomic<bool>& canceled);
  void CompactAtClose();
  void WaitForClose();

  TemplateStore& store_;
  const std::chrono::milliseconds delay_;
  const std::chrono::milliseconds longest_close_;

  std::atomic<bool> canceled_{false};
  std::atomic<bool> close_canceled_{false};

  Mutex mutex_;
  CondVar wake_;
  bool requested_ FACEGATE_GUARDED_BY(mutex_) = false;
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;
  bool ended_ FACEGATE_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace facegate
