#pragma once

#include <array>

#include "face/network/description.h"

namespace facegate::network {

// Describes the residual network of ArcFace (Deng et al. 2019, arXiv:1801.07698) as in
// InsightFace's arcface_torch: four stages of 64 to 512 channels with `units` residual units each,
// 512-d. The last batch norm's weight is not trained.
Description IResNet(const std::array<int, 4>& units, double dropout);

}  // namespace facegate::network
