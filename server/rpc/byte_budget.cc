#include "server/rpc/byte_budget.h"

#include <fmt/format.h>

#include "face/base/check.h"

namespace facegate {

Status ByteBudget::Take(uint64_t bytes) {
  const MutexLock lock(mutex_);
  if (bytes > limit_ - taken_) {
    return Refuse(Reason::kQueueFull,
                  fmt::format("requests in progress hold {} bytes and this one has {}; together "
                              "they may hold {}",
                              taken_, bytes, limit_));
  }
  taken_ += bytes;
  return OkStatus();
}

void ByteBudget::GiveBack(uint64_t bytes) {
  const MutexLock lock(mutex_);
  FACEGATE_CHECK(bytes <= taken_);
  taken_ -= bytes;
}

}  // namespace facegate
