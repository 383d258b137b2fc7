#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include "face/base/clock.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "server/engine/caller.h"

namespace facegate {

// Bounds the bytes that the pictures which are decoded may hold together. Thread-safe. It must
// outlive what it hands out.
class DecodeBudget {
 public:
  // Bytes that count until it is destroyed.
  class Share {
   public:
    Share() = default;
    Share(DecodeBudget& budget, uint64_t bytes) : budget_(&budget), bytes_(bytes) {}
    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&& other) noexcept;
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { GiveBack(); }

   private:
    void GiveBack();

    DecodeBudget* budget_ = nullptr;
    uint64_t bytes_ = 0;
  };

  DecodeBudget(uint64_t limit, const Clock& clock) : limit_(limit), clock_(clock) {}

  // Waits until `bytes` fit beside what is held; more than the limit waits until nothing is held.
  // Who comes first is served first. Who holds a share must not wait for another one. Gives
  // caller.Check(), within 10 ms, when the caller goes meanwhile.
  StatusOr<Share> Take(uint64_t bytes, const Caller& caller);

 private:
  bool Fits(uint64_t bytes) const FACEGATE_REQUIRES(mutex_) {
    return held_ == 0 || (held_ <= limit_ && bytes <= limit_ - held_);
  }

  const uint64_t limit_;
  const Clock& clock_;

  Mutex mutex_;
  CondVar changed_;
  uint64_t held_ FACEGATE_GUARDED_BY(mutex_) = 0;
  std::set<uint64_t> waiting_ FACEGATE_GUARDED_BY(mutex_);  // in the order of arrival
  uint64_t next_ticket_ FACEGATE_GUARDED_BY(mutex_) = 0;
};

}  // namespace facegate
