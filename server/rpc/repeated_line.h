#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/clock.h"
#include "face/base/mutex.h"

namespace facegate {

// Keeps faults that every call meets from filling the log: the same line is written once in ten
// seconds, whatever comes between. Of many different lines at a time the oldest is forgotten.
// Thread-safe.
class RepeatedLine {
 public:
  static constexpr size_t kMostLines = 16;

  // Returns how many lines like this one were left out since it was written last; nothing when this
  // one is to be left out, too.
  std::optional<uint64_t> Ask(std::string_view line, Clock::TimePoint now);

 private:
  struct Written {
    Clock::TimePoint at;
    uint64_t left_out = 0;
  };

  void ForgetOldest() FACEGATE_REQUIRES(mutex_);

  Mutex mutex_;
  std::map<std::string, Written, std::less<>> lines_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
