#include "index/store/eraser.h"

#include <algorithm>

#include "face/base/catch.h"
#include "face/base/log.h"

namespace facegate {

using std::chrono::steady_clock;

Eraser::Eraser(TemplateStore& store, std::chrono::milliseconds delay,
               std::chrono::milliseconds longest_close)
    : store_(store), delay_(delay), longest_close_(longest_close), thread_([this] { Run(); }) {}

Eraser::~Eraser() {
  canceled_ = true;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  wake_.NotifyAll();
  WaitForClose();
  close_canceled_ = true;
  thread_.join();
}

void Eraser::WaitForClose() {
  const Time due = steady_clock::now() + longest_close_;
  const MutexLock lock(mutex_);
  while (!ended_ && steady_clock::now() < due) wake_.WaitUntil(mutex_, due);
}

void Eraser::Request() {
  {
    const MutexLock lock(mutex_);
    if (requested_) return;
    requested_ = true;
  }
  wake_.NotifyAll();
}

void Eraser::Run() {
  Time rested = steady_clock::now();
  while (WaitForWork(rested)) {
    const Time begin = steady_clock::now();
    Compact(canceled_);
    const Time end = steady_clock::now();
    rested = end + std::min<steady_clock::duration>((end - begin) * kRest, kLongestRest);
  }
  CompactAtClose();
  {
    const MutexLock lock(mutex_);
    ended_ = true;
  }
  wake_.NotifyAll();
}

bool Eraser::WaitForWork(Time rested) {
  const MutexLock lock(mutex_);
  while (!requested_ && !closed_) wake_.Wait(mutex_);
  const Time due = std::max(rested, steady_clock::now() + delay_);
  while (!closed_ && steady_clock::now() < due) wake_.WaitUntil(mutex_, due);
  if (closed_) return false;
  requested_ = false;
  return true;
}

void Eraser::Compact(std::atomic<bool>& canceled) {
  const Status status = CatchToStatus("compacting", [&] { return store_.Compact(&canceled); });
  if (status.ok()) return;
  // One that was ended is no trouble: it is seen to at the close, or after the next start.
  if (!canceled) {
    LogWarning("what was deleted could not be erased from the files yet: {}", MessageOf(status));
  }
  const MutexLock lock(mutex_);
  requested_ = true;
}

// It is tried once: a store that fails while it is being closed is left as it is.
void Eraser::CompactAtClose() {
  {
    const MutexLock lock(mutex_);
    if (!requested_) return;
  }
  const uint64_t bytes = store_.bytes_to_compact();
  if (bytes > kMaxBytesAtClose) {
    LogInfo(
        "store: what was deleted last will be erased from the files after the next start: about {} "
        "MB must be rewritten for it",
        bytes >> 20);
    return;
  }
  Compact(close_canceled_);
}

}  // namespace facegate
