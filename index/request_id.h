#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// A client names a write by a request id and sends it again with each retry; the gallery makes the
// change once and keeps the answer with it (Gallery::BeginRequest).
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

// One request from BeginRequest() on. While it lives, other calls with the same id are
// refused.
struct RequestTicket {
  RequestId id;
  std::string fingerprint;
  // The answer of an earlier call, where the change is made already.
  std::optional<std::string> answer;
  std::shared_ptr<void> in_progress;  // lets others in when it goes
};

// Tells a write with a request id under which ticket its answer is kept, and how the answer is
// made.
template <typename Result>
struct Receipt {
  const RequestTicket* ticket = nullptr;  // null: nothing is kept
  // Called before the change is made, with what it will come to.
  std::function<std::string(const Result&)> answer;
};

}  // namespace facegate
