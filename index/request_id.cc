#include "index/request_id.h"

#include <cstdint>

namespace facegate {
namespace {

std::optional<uint8_t> HexValue(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

bool IsHyphenPlace(size_t at) { return at == 8 || at == 13 || at == 18 || at == 23; }

}  // namespace

std::optional<RequestId> ParseRequestId(std::string_view text) {
  constexpr size_t kTextBytes = 36;
  if (text.size() != kTextBytes) return std::nullopt;
  RequestId id;
  size_t digits = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    if (IsHyphenPlace(at)) {
      if (text[at] != '-') return std::nullopt;
      continue;
    }
    const std::optional<uint8_t> digit = HexValue(text[at]);
    if (!digit.has_value()) return std::nullopt;
    uint8_t& byte = id.bytes[digits / 2];
    byte = static_cast<uint8_t>(byte << 4 | *digit);
    ++digits;
  }
  if (id == RequestId{}) return std::nullopt;
  return id;
}

}  // namespace facegate
