#pragma once

#include <array>
#include <cstdint>

#include "face/network/description.h"

namespace facegate::network {

// The shape of a network of ronghuaiyang/arcface-pytorch's class ResNetFace, of which resnet_face18
// is one: convolution, batch norm, PReLU, 2×2 pooling, four stages that halve the picture but for
// the first, and a linear layer between batch norms. Each PReLU has a single slope, and each block
// uses its own twice.
struct ResNetFaceShape {
  Input input{.channels = 1, .height = 128, .width = 128};
  int64_t stem = 64;  // channels
  std::array<int64_t, 4> units = {2, 2, 2, 2};
  std::array<int64_t, 4> widths = {64, 128, 256, 512};  // channels
  int64_t reduction = 0;                                // of the channel gates; 0: there are none
  int64_t outputs = 512;
};

Description ResNetFace(const ResNetFaceShape& shape, double dropout);

}  // namespace facegate::network
