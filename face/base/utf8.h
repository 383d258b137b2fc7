#pragma once

#include <cstddef>
#include <string_view>

namespace facegate {

// Bytes of the letter at the front of `text`, which is not empty; 0 where that is no UTF-8 (RFC
// 3629: no surrogates, no overlong forms).
size_t Utf8LetterBytes(std::string_view text);

// True when all of `text` is UTF-8.
bool IsUtf8(std::string_view text);

// `text` without the byte order mark that some programs write in front of UTF-8.
std::string_view WithoutUtf8Mark(std::string_view text);

}  // namespace facegate
