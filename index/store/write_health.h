#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <string_view>

#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

// Knows whether a store can write, as those who write and the database's own threads find out. Each
// change of the state gives one line in the log and one call of `on_change`, in their order, on the
// thread that found it out. Thread-safe.
class WriteHealth {
 public:
  using OnChange = std::function<void(const Status&)>;

  // `on_change` must not block; empty: nobody is told.
  explicit WriteHealth(OnChange on_change) : on_change_(std::move(on_change)) {}

  // OK, kStoreFull or kInternal.
  Status state() const;
  // The database refuses all writes until it has recovered. `detail` is for the log alone.
  void SetStopped(const Status& state, std::string_view detail) {
    Set(state, detail, Of::kDatabase);
  }
  // One write was refused; the next may be taken.
  void SetRefused(const Status& state, std::string_view detail) { Set(state, detail, Of::kWrite); }
  // The database takes writes again.
  void SetRecovered() { Set(OkStatus(), {}, Of::kDatabase); }
  // A write was taken; at next to no cost where all is well. It says nothing of a database that has
  // stopped: the write may have been taken before that.
  void SetGood() {
    if (!good_.load(std::memory_order_relaxed)) Set(OkStatus(), {}, Of::kWrite);
  }

 private:
  // A state was found out from a write, or from the database itself.
  enum class Of { kWrite, kDatabase };

  void Set(const Status& state, std::string_view detail, Of of);
  void TellInOrder();

  const OnChange on_change_;
  std::atomic<bool> good_{true};

  mutable Mutex mutex_;
  Status state_ FACEGATE_GUARDED_BY(mutex_);
  bool stopped_ FACEGATE_GUARDED_BY(mutex_) = false;  // only SetRecovered() ends that
  std::deque<Status> untold_ FACEGATE_GUARDED_BY(mutex_);
  bool telling_ FACEGATE_GUARDED_BY(mutex_) = false;
};

}  // namespace facegate
