#pragma once

#include "face/network/description.h"

// MobileFaceNet (Chen et al. 2018, arXiv:1804.07573) comes in two variants.
namespace facegate::network {

// Describes the one of 128-d, as in bubbliiiing/arcface-pytorch; 1,003,136 parameters.
Description MobileFaceNet128();

// Describes the one of 512-d, twice as wide, as "mbf" in InsightFace's arcface_torch; 2,059,520
// parameters.
Description MobileFaceNet512();

}  // namespace facegate::network
