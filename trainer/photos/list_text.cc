#include "trainer/photos/list_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "face/base/file.h"
#include "face/base/utf8.h"

namespace facegate {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kMaxTextBytes = 1ULL << 30;
constexpr size_t kLookedAt = 4096;

// Names the wide encoding that the text has by its mark or, without one, by the zero bytes that
// every second letter of Latin text has; empty for none.
std::string_view WideEncoding(std::string_view text) {
  if (text.starts_with("\xff\xfe\0\0"sv) || text.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
  if (text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv)) return "UTF-16";
  const std::string_view start = text.substr(0, kLookedAt);
  size_t even = 0;
  size_t odd = 0;
  for (size_t i = 0; i < start.size(); ++i) {
    if (start[i] != '\0') continue;
    ++(i % 2 == 0 ? even : odd);
  }
  const size_t half = start.size() / 2;
  const bool one_side = std::min(even, odd) == 0 && 2 * std::max(even, odd) > half;
  return one_side && half > 0 ? "UTF-16" : "";
}

}  // namespace

StatusOr<std::string> ReadListText(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxTextBytes));
  if (const std::string_view wide = WideEncoding(text); !wide.empty()) {
    return InvalidArgument(
        fmt::format("{} is {} text; save it as UTF-8 (Windows programs call it \"CSV UTF-8\", "
                    "\"UTF-8\" or \"without BOM\"; iconv -f {} -t UTF-8 converts it)",
                    path, wide, wide));
  }
  if (text.find('\0') != std::string::npos) {
    return InvalidArgument(fmt::format("{} is not a text file", path));
  }
  text.erase(0, text.size() - WithoutUtf8Mark(text).size());
  return text;
}

}  // namespace facegate
