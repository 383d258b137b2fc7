#pragma once

#include <array>
#include <cstdint>

#include "face/network/description.h"

namespace facegate::network {

// The shape of a residual network of ArcFace (Deng et al. 2019, arXiv:1801.07698) as in
// InsightFace's arcface_torch: four stages, each of which halves the picture.
struct IResNetShape {
  Input input = kCropInput;
  int64_t stem = 64;  // channels
  std::array<int64_t, 4> units = {2, 2, 2, 2};
  std::array<int64_t, 4> widths = {64, 128, 256, 512};  // channels
  int64_t outputs = 512;
};

// Describes it. The last batch norm's weight is not trained.
Description IResNet(const IResNetShape& shape, double dropout);

}  // namespace facegate::network
