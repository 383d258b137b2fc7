#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace facegate {

// Writes a file that only its owner can read and write; one that is there, or a link, is replaced.
// What went wrong, in words, or nothing.
std::optional<std::string> WritePrivateFile(const std::string& path, std::string_view bytes);

}  // namespace facegate
