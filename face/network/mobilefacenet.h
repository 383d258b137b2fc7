#pragma once

#include "face/network/description.h"

// MobileFaceNet (Chen et al. 2018, arXiv:1804.07573) in two variants.
namespace facegate::network {

// 128-d, as in bubbliiiing/arcface-pytorch; 1,003,136 parameters.
Description MobileFaceNet128();

// 512-d and twice as wide, as "mbf" in InsightFace's arcface_torch; 2,059,520 parameters.
Description MobileFaceNet512();

}  // namespace facegate::network
