#include "trainer/photos/shown_name.h"

#include <fmt/format.h>

#include <cstddef>

#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr size_t kMostShown = 1024;

// U+0000 to U+001F and U+007F to U+009F; those from U+0080 on are c2 80 to c2 9f.
bool HasControls(std::string_view text) {
  bool is_behind_c2 = false;
  for (const char sign : text) {
    const auto byte = static_cast<unsigned char>(sign);
    if (byte < 0x20 || byte == 0x7f || (is_behind_c2 && byte <= 0x9f)) return true;
    is_behind_c2 = byte == 0xc2;
  }
  return false;
}

bool CanBeShown(std::string_view name) {
  return name.size() <= kMostShown && IsUtf8(name) && !HasControls(name);
}

}  // namespace

std::string ShownName(std::string_view name) {
  return CanBeShown(name) ? std::string(name) : Quote(name);
}

std::string ShownInQuotes(std::string_view name) {
  return CanBeShown(name) ? fmt::format("\"{}\"", name) : Quote(name);
}

}  // namespace facegate
