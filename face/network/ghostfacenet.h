#pragma once

#include <cstdint>

#include "face/network/description.h"

// GhostFaceNetV1 (Alansari et al. 2023, "GhostFaceNets: Lightweight Face Recognition Model From
// Cheap Operations"; HamadYA/GhostFaceNets), of ghost modules (Han et al. 2020, "GhostNet: More
// Features from Cheap Operations").
//
// A ghost module makes half of its channels by a 1×1 convolution, and the other half from these by
// a depthwise one. Like the original, which is Keras', convolutions of stride 2 pad so that the
// last window ends at the map's edge, and gates are 0.2 x + 0.5 within 0 and 1. There is no usual
// checkpoint of PyTorch, so most names of layers are this project's; the head has the original's.
namespace facegate::network {

// With the defaults the original's "GhostFaceNetV1-1.3-1", without a bias before the last batch
// norm. Keras counts running statistics, too, and so finds 28,552 parameters more: 4.09 million.
struct GhostFaceNetShape {
  Input input = kCropInput;  // square
  double width = 1.3;        // times the channels of GhostNet
  int64_t stride = 1;        // of the first convolution
  int64_t outputs = 512;
};

// `dropout` acts before the last convolution.
Description GhostFaceNet(const GhostFaceNetShape& shape, double dropout = 0.0);

}  // namespace facegate::network
