#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace facegate {

// RFC 4648 section 4, with padding.
std::string Base64(std::string_view bytes);

// RFC 4648 section 5, safe in addresses and file names, without padding.
std::string Base64Url(std::string_view bytes);

// The bytes of which Base64Url() makes `text`; nullopt when there are none, as for padding and for
// white space.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace facegate
