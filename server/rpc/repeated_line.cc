#include "server/rpc/repeated_line.h"

#include <chrono>
#include <utility>

namespace facegate {

std::optional<uint64_t> RepeatedLine::Ask(std::string_view line, Clock::TimePoint now) {
  constexpr std::chrono::seconds kInterval{10};
  const MutexLock lock(mutex_);
  if (line == last_ && now < written_ + kInterval) {
    ++left_out_;
    return std::nullopt;
  }
  if (line != last_) left_out_ = 0;
  last_ = line;
  written_ = now;
  return std::exchange(left_out_, 0);
}

}  // namespace facegate
