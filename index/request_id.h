#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

// A client names a write by a request id and sends it again with each retry; the gallery makes the
// change once and keeps the answer with it (index/journal.h).
namespace facegate {

// A UUID (RFC 4122, of any variant), never all zeros.
struct RequestId {
  std::array<uint8_t, 16> bytes{};
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of a comparison for a pointer.
  auto operator<=>(const RequestId&) const = default;
};

inline constexpr size_t kFingerprintBytes = 32;  // sha256 of the request

// 8-4-4-4-12 hexadecimal digits of either case, not all zeros; nothing for any other text.
std::optional<RequestId> ParseRequestId(std::string_view text);

}  // namespace facegate
