#pragma once

#include <array>

#include "face/network/description.h"

namespace facegate::network {

// Describes the improved residual network with squeeze-and-excitation as in face.evoLVe (IR_SE_50
// with `units` {3, 4, 14, 3}): four stages of 64 to 512 channels, 512-d.
Description IrSe(const std::array<int, 4>& units, double dropout);

}  // namespace facegate::network
