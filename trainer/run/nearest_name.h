#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace facegate {

// "; did you mean \"arcface\"?" for the name that differs from `name` in the fewest letters (put
// in, left out, exchanged, or changed places with a neighbour), and nothing where none is near. A
// "section.key" is near to its bare key too.
std::string MeantKey(std::string_view name, const std::vector<std::string>& known);

}  // namespace facegate
