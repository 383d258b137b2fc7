#include "index/eraser.h"

#include "face/base/catch.h"
#include "face/base/log.h"

namespace facegate {

Eraser::Eraser(TemplateStore& store, std::chrono::milliseconds delay)
    : store_(store), delay_(delay), thread_([this] { Run(); }) {}

Eraser::~Eraser() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void Eraser::Request() {
  {
    const MutexLock lock(mutex_);
    requested_ = true;
  }
  wake_.NotifyAll();
}

void Eraser::Run() {
  while (WaitForWork()) {
    const Status status = CatchToStatus("compacting", [&] { return store_.Compact(); });
    if (status.ok()) continue;
    LogWarning("deleted templates could not be erased from the files yet: {}", MessageOf(status));
    const MutexLock lock(mutex_);
    // Again after the delay; a store that fails while it is being closed is left as it is.
    requested_ = !closed_;
  }
}

bool Eraser::WaitForWork() {
  const MutexLock lock(mutex_);
  while (!requested_ && !closed_) wake_.Wait(mutex_);
  if (!requested_) return false;
  const auto due = std::chrono::steady_clock::now() + delay_;
  while (!closed_ && std::chrono::steady_clock::now() < due) wake_.WaitUntil(mutex_, due);
  requested_ = false;
  return true;
}

}  // namespace facegate
