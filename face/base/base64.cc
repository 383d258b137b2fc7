#include "face/base/base64.h"

#include "absl/strings/escaping.h"

namespace facegate {
namespace {

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string Base64(std::string_view bytes) { return absl::Base64Escape(ToAbsl(bytes)); }

std::string Base64Url(std::string_view bytes) { return absl::WebSafeBase64Escape(ToAbsl(bytes)); }

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string bytes;
  // The decoder takes more than the encoder writes.
  if (!absl::WebSafeBase64Unescape(ToAbsl(text), &bytes) || Base64Url(bytes) != text) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace facegate
