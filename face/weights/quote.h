#pragma once

#include <string>
#include <string_view>

namespace facegate {

// A name out of a foreign file for an error message: in double quotes, at most 64 bytes of it, with
// anything that is not printable ASCII (or would end the quotes) as \xHH, so that a hostile file
// cannot write to the reader's terminal.
std::string Quote(std::string_view text);

}  // namespace facegate
