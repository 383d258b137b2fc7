#pragma once

#include <cstdint>

#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

// Bounds the bytes that the requests in progress hold together. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(uint64_t limit) : limit_(limit) {}

  // OK: the bytes count until they are given back. kQueueFull when they would pass the limit.
  Status Take(uint64_t bytes);
  void GiveBack(uint64_t bytes);

 private:
  const uint64_t limit_;

  Mutex mutex_;
  uint64_t taken_ FACEGATE_GUARDED_BY(mutex_) = 0;
};

}  // namespace facegate
