#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "face/network/description.h"

namespace facegate::network {

// How often a network computes what: elementary operations, with their numbers, in words.
// Residuals, gates and the like are what they consist of; what does nothing at inference is not
// counted, nor is a flattening. Networks of one census whose tensors have the same names differ in
// the order of what they compute at most.
using Census = std::map<std::string, int64_t>;

Census CensusOf(const Description& description);

}  // namespace facegate::network
