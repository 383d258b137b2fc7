#include "server/rpc/repeated_line.h"

#include <algorithm>
#include <chrono>

namespace facegate {

std::optional<uint64_t> RepeatedLine::Ask(std::string_view line, Clock::TimePoint now) {
  constexpr std::chrono::seconds kInterval{10};
  const MutexLock lock(mutex_);
  const auto known = lines_.find(line);
  if (known == lines_.end()) {
    if (lines_.size() == kMostLines) ForgetOldest();
    lines_.emplace(line, Written{.at = now, .left_out = 0});
    return 0;
  }
  Written& written = known->second;
  if (now < written.at + kInterval) {
    ++written.left_out;
    return std::nullopt;
  }
  const uint64_t left_out = written.left_out;
  written = {.at = now, .left_out = 0};
  return left_out;
}

void RepeatedLine::ForgetOldest() {
  lines_.erase(std::min_element(lines_.begin(), lines_.end(), [](const auto& a, const auto& b) {
    return a.second.at < b.second.at;
  }));
}

}  // namespace facegate
