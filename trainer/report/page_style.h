#pragma once

#include <cstddef>
#include <string_view>

namespace facegate::report {

// The page's palette has so many colours: classes c0, c1, …
constexpr size_t kPaletteSize = 6;

// The style sheet and the script of a report, without their tags.
std::string_view PageStyle();
std::string_view PageScript();

}  // namespace facegate::report
