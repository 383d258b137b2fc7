#pragma once

#include <string>
#include <string_view>

namespace facegate {

// A name out of a set of others for a message: as it is where it is text that can be shown, that is
// UTF-8 without control characters of no more than 1024 bytes; otherwise as Quote() writes it
// (face/weights/quote.h), so that no set writes to the reader's terminal.
std::string ShownName(std::string_view name);

// The same, in double quotes in either case.
std::string ShownInQuotes(std::string_view name);

}  // namespace facegate
