#pragma once

#include <string>
#include <string_view>

namespace facegate {

// SHA-256 of the bytes, 64 hexadecimal digits.
std::string Sha256Digest(std::string_view bytes);

}  // namespace facegate
