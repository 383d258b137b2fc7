#include "server/engine/decode_budget.h"

#include <algorithm>
#include <chrono>

namespace facegate {
namespace {

// A waiting caller is asked so often whether it still waits.
constexpr std::chrono::milliseconds kLookAtCaller{10};

}  // namespace

DecodeBudget::Share& DecodeBudget::Share::operator=(Share&& other) noexcept {
  if (this != &other) {
    GiveBack();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void DecodeBudget::Share::GiveBack() {
  if (budget_ == nullptr) return;
  {
    const MutexLock lock(budget_->mutex_);
    budget_->held_ -= bytes_;
  }
  budget_->changed_.NotifyAll();
  budget_ = nullptr;
}

StatusOr<DecodeBudget::Share> DecodeBudget::Take(uint64_t bytes, const Caller& caller) {
  Status wanted;
  {
    const MutexLock lock(mutex_);
    const uint64_t ticket = next_ticket_++;
    waiting_.insert(ticket);
    for (;;) {
      const Clock::TimePoint now = clock_.Now();
      wanted = caller.Check(now);
      if (!wanted.ok() || (*waiting_.begin() == ticket && Fits(bytes))) break;
      changed_.WaitUntil(mutex_, std::min(caller.deadline, now + kLookAtCaller));
    }
    waiting_.erase(ticket);
    if (wanted.ok()) held_ += bytes;
  }
  changed_.NotifyAll();  // the next in the line may go, too
  if (!wanted.ok()) return wanted;
  return Share(*this, bytes);
}

}  // namespace facegate
