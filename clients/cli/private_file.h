#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace facegate::cli {

// Writes a file that only its owner can read and write; one that is there, or a link, is replaced.
// Returns what went wrong, in words, or nothing. Unlike WriteFileAtomically() of face/base it does
// not wait for the disk, and the file's rights are not the user's usual ones.
std::optional<std::string> WritePrivateFile(const std::string& path, std::string_view bytes);

}  // namespace facegate::cli
