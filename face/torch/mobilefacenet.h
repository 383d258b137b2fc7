#pragma once

#include <memory>

#include "face/torch/backbone.h"

// MobileFaceNet (Chen et al. 2018, arXiv:1804.07573) in two variants.
namespace facegate {

// 128-d, as in bubbliiiing/arcface-pytorch; 1,003,136 parameters.
std::shared_ptr<Backbone> MakeMobileFaceNet128();

// 512-d and twice as wide, as "mbf" in InsightFace's arcface_torch; 2,059,520 parameters.
std::shared_ptr<Backbone> MakeMobileFaceNet512();

}  // namespace facegate
