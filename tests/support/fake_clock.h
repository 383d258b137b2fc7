#pragma once

#include <atomic>
#include <chrono>

#include "face/base/clock.h"

namespace facegate {

// Time that moves only when told to. Thread-safe.
class FakeClock final : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(std::chrono::microseconds(now_us_.load())); }
  int64_t UnixMicros() const override { return kStartUnixMicros + now_us_.load(); }

  void Advance(std::chrono::microseconds by) { now_us_ += by.count(); }

 private:
  static constexpr int64_t kStartUnixMicros = 1'700'000'000'000'000;
  std::atomic<int64_t> now_us_ = 1'000'000;
};

}  // namespace facegate
