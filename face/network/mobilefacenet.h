#pragma once

#include <array>
#include <cstdint>

#include "face/network/description.h"

// MobileFaceNet (Chen et al. 2018, arXiv:1804.07573) comes in several variants.
namespace facegate::network {

// The originals have the same layers under other names.
enum class MobileFaceNetNaming {
  kBubbliiiing,   // bubbliiiing/arcface-pytorch
  kArcFaceTorch,  // "mbf" and "mbf_large" in InsightFace's arcface_torch
  kTreB1eN,       // TreB1eN/InsightFace_Pytorch: as the first, but for the head
};

enum class MobileFaceNetActivation { kPRelu, kOneSlope, kRelu6, kRelu };

// A unit that halves the picture, and others after it.
struct MobileFaceNetStage {
  int64_t width = 0;           // channels
  int64_t down_expansion = 0;  // channels within the first unit
  int64_t repeats = 0;         // units after it
  int64_t expansion = 0;       // channels within these
};

struct MobileFaceNetShape {
  MobileFaceNetNaming naming = MobileFaceNetNaming::kBubbliiiing;
  MobileFaceNetActivation activation = MobileFaceNetActivation::kPRelu;
  Input input = kCropInput;
  int64_t stem = 64;          // channels
  int64_t first_groups = 64;  // of the convolution after the first one
  // Where not 0 there are so many units instead of that convolution ("mbf_large").
  int64_t first_repeats = 0;
  int64_t first_expansion = 128;
  std::array<MobileFaceNetStage, 3> stages = {MobileFaceNetStage{64, 128, 4, 128},
                                              MobileFaceNetStage{128, 256, 6, 256},
                                              MobileFaceNetStage{128, 512, 2, 256}};
  int64_t last = 512;          // channels of the last map
  Sides last_kernel = {7, 7};  // as large as it: each channel becomes one number
  int64_t outputs = 128;
};

Description MobileFaceNet(const MobileFaceNetShape& shape);

// The one of 128-d, as in bubbliiiing/arcface-pytorch; 1,003,136 parameters.
MobileFaceNetShape MobileFaceNet128();

// The one of 512-d, twice as wide, as "mbf" in InsightFace's arcface_torch; 2,059,520 parameters.
MobileFaceNetShape MobileFaceNet512();

}  // namespace facegate::network
