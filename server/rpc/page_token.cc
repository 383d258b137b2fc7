#include "server/rpc/page_token.h"

#include <array>
#include <optional>

#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr char kVersion = 1;
// An id has at most 128 bytes; nothing longer than this is a token.
constexpr size_t kMaxTokenLength = 512;

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string Base64UrlEncode(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text.push_back(kAlphabet[bits >> (count - 6) & 63]);
  }
  if (count > 0) text.push_back(kAlphabet[bits << (6 - count) & 63]);
  return text;
}

// Takes only what the encoder writes: no padding, and no bits left over that are set.
std::optional<std::string> Base64UrlDecode(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

uint32_t CheckOf(std::initializer_list<std::string_view> request, std::string_view after) {
  std::string covered;
  for (const std::string_view part : request) {
    AppendLittleEndian(covered, static_cast<uint32_t>(part.size()));
    covered.append(part);
  }
  covered.append(after);
  return Crc32c(covered);
}

}  // namespace

std::string MakePageToken(std::initializer_list<std::string_view> request, std::string_view after) {
  std::string bytes(1, kVersion);
  AppendLittleEndian(bytes, CheckOf(request, after));
  bytes.append(after);
  return Base64UrlEncode(bytes);
}

StatusOr<std::string> ParsePageToken(std::initializer_list<std::string_view> request,
                                     std::string_view token) {
  if (token.empty()) return std::string();
  const Status refusal = RefuseField(
      "page_token", "is not a token that this list returned: start again without a token");
  if (token.size() > kMaxTokenLength) return refusal;
  const std::optional<std::string> bytes = Base64UrlDecode(token);
  if (!bytes.has_value() || bytes->empty() || bytes->front() != kVersion) return refusal;
  std::string_view rest = std::string_view(*bytes).substr(1);
  const std::optional<uint32_t> check = TakeLittleEndian<uint32_t>(rest);
  if (!check.has_value() || rest.empty() || *check != CheckOf(request, rest)) return refusal;
  return std::string(rest);
}

}  // namespace facegate
