#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace facegate {

// Writes a file that only its owner can read; one that is there is replaced and keeps its rights.
// What went wrong, in words, or nothing.
std::optional<std::string> WritePrivateFile(const std::string& path, std::string_view bytes);

}  // namespace facegate
