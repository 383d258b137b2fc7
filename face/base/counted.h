#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace facegate {

// "1 person", "2 people".
inline std::string Counted(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}
// "1 photo", "2 photos".
inline std::string Counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}
inline std::string CountedPhotos(size_t count) { return Counted(count, "photo", "photos"); }

// "12.50 %" of the share 0.125.
inline std::string PercentText(double share) { return fmt::format("{:.2f} %", 100 * share); }

}  // namespace facegate
