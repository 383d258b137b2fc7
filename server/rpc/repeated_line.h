#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/clock.h"
#include "face/base/mutex.h"

namespace facegate {

// Keeps a fault that every call meets from filling the log: the same line is written once in ten
// seconds. Thread-safe.
class RepeatedLine {
 public:
  // How many lines like this one were left out since it was written last; nothing when this one is
  // to be left out, too.
  std::optional<uint64_t> Ask(std::string_view line, Clock::TimePoint now);

 private:
  Mutex mutex_;
  std::string last_ FACEGATE_GUARDED_BY(mutex_);
  Clock::TimePoint written_ FACEGATE_GUARDED_BY(mutex_);
  uint64_t left_out_ FACEGATE_GUARDED_BY(mutex_) = 0;
};

}  // namespace facegate
