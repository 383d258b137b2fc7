#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "face/network/description.h"

namespace facegate::network {

// How often a network computes what: elementary operations, with their numbers, in words.
// Residuals, gates and the like are what they consist of; what does nothing at inference is not
// counted, nor are a flattening and orders of the numbers of a map. It holds no weights: networks
// of one census may compute different things.
using Census = std::map<std::string, int64_t>;

Census CensusOf(const Description& description);

}  // namespace facegate::network
