#include "index/local/upkeep_thread.h"

#include <utility>

#include "face/base/catch.h"
#include "face/base/log.h"

namespace facegate {

UpkeepThread::UpkeepThread(std::chrono::milliseconds interval, std::function<void()> work)
    : interval_(interval), work_(std::move(work)), thread_([this] { Run(); }) {}

UpkeepThread::~UpkeepThread() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void UpkeepThread::Run() {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      const auto due = std::chrono::steady_clock::now() + interval_;
      while (!closed_ && std::chrono::steady_clock::now() < due) wake_.WaitUntil(mutex_, due);
      if (closed_) return;
    }
    const Status status = CatchToStatus("upkeep of the gallery", [&] {
      work_();
      return OkStatus();
    });
    if (!status.ok()) LogWarning("{}", MessageOf(status));
  }
}

}  // namespace facegate
