#include "server/rpc/page_token.h"

#include <optional>

#include "face/base/base64.h"
#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr char kVersion = 1;
// An id has at most 128 bytes; nothing longer than this is a token.
constexpr size_t kMaxTokenLength = 512;

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
  return Base64Url(bytes);
}

StatusOr<std::string> ParsePageToken(std::initializer_list<std::string_view> request,
                                     std::string_view token) {
  if (token.empty()) return std::string();
  const Status refusal = RefuseField(
      "page_token", "is not a token that this list returned: start again without a token");
  if (token.size() > kMaxTokenLength) return refusal;
  const std::optional<std::string> bytes = DecodeBase64Url(token);
  if (!bytes.has_value() || bytes->empty() || bytes->front() != kVersion) return refusal;
  std::string_view rest = std::string_view(*bytes).substr(1);
  const std::optional<uint32_t> check = TakeLittleEndian<uint32_t>(rest);
  if (!check.has_value() || rest.empty() || *check != CheckOf(request, rest)) return refusal;
  return std::string(rest);
}

}  // namespace facegate
