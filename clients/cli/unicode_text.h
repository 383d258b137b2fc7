#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Text of any script. Bytes that are not UTF-8 are taken as U+FFFD, the replacement character.
namespace facegate::cli {

bool IsValidUtf8(std::string_view text);

// The text in normalisation form C, so that what looks the same and means the same is the same.
std::string Composed(std::string_view text);

// Keeps of the text what ids can hold: letters without their accents, digits and "._-"; each run of
// anything else is one '_'. "Zoë" is "Zoe".
std::string AsciiSkeleton(std::string_view text);

// The text without control characters and without marks that change the direction of writing.
std::string WithoutControls(std::string_view text);

// Keeps at most `bytes` bytes of UTF-8 text; no character is cut in two.
std::string CutToBytes(std::string_view text, size_t bytes);

// Text that cannot change what a terminal does: control characters and marks that change the
// direction of writing become '?'.
std::string Printable(std::string_view text);

// Returns how many columns of a terminal the text takes: Chinese, Japanese and Korean characters
// and most emoji two, combining marks none.
size_t DisplayWidth(std::string_view text);

// Returns how many bytes of the text's start fit into `columns`; always one character at least,
// unless the text is empty.
size_t BytesThatFit(std::string_view text, size_t columns);

}  // namespace facegate::cli
