#pragma once

#include "face/network/description.h"

namespace facegate::network {

// Describes MobileNetV1 (Howard et al. 2017, arXiv:1704.04861) as in bubbliiiing/arcface-pytorch:
// the first convolution does not halve the picture, 512-d.
Description MobileNetV1(double dropout);

}  // namespace facegate::network
