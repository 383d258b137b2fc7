#pragma once

#include "face/network/description.h"

namespace facegate {

// True where LibTorch may convert a network to oneDNN's layouts. Its passes apply clamp and sigmoid
// to memory in which channels are padded to sixteens, and give other values, with a warning for
// each, where the channels are no multiple of that (seen in LibTorch 1.13).
bool FitsOneDnn(const network::Description& description);

}  // namespace facegate
