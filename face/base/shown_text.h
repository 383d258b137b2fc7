#pragma once

#include <string>
#include <string_view>

namespace facegate {

// A whole message or page, which may hold names out of a set as they are: control characters and
// bytes that are no UTF-8 become \xHH. Its line ends and tabs stay, as many messages have several
// lines.
std::string ShownText(std::string_view message);

// The same for a place that has one line: line ends and tabs become \xHH, too.
std::string ShownLine(std::string_view message);

}  // namespace facegate
