#include "face/weights/quote.h"

#include <fmt/format.h>

#include <cstdint>

namespace facegate {
namespace {

constexpr size_t kMaxQuoted = 64;

}  // namespace

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMaxQuoted)) {
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      quoted += c;
    } else {
      quoted += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
    }
  }
  quoted += text.size() > kMaxQuoted ? "…\"" : "\"";
  return quoted;
}

}  // namespace facegate
