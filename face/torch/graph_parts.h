#pragma once

#include <cstddef>
#include <vector>

#include "face/network/description.h"

namespace facegate {

// Cuts the calls of a graph into neighbouring parts, between which a single value is alive: each of
// as many calls as `most` allows, or of more that cannot be cut. Returns the end of each.
std::vector<size_t> EndsOfParts(const std::vector<network::Call>& calls, size_t most);

}  // namespace facegate
