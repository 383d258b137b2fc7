#pragma once

#include <cstdint>

#include "face/network/description.h"

// Vision transformers (Dosovitskiy et al. 2021) as InsightFace's arcface_torch has them for faces
// (An et al. 2022, "Killing Two Birds with One Stone"): a convolution whose stride is its kernel
// makes tokens of patches, what a last row or column leaves over is dropped; blocks of
// self-attention and of two linear layers with a ReLU6 between them follow, and the head takes all
// tokens, not one that stands for the class.
//
// In training residuals are left out, the later ones more often, and a share of each crop's tokens,
// as the original does. Unlike there, drop_path and mask_share are not to be chosen by name: the
// original's "vit_t_dp005_mask0" and the like are the same networks with other numbers here.
namespace facegate::network {

// With the defaults the original's "vit_t"; "vit_s" has 512 channels.
struct VitShape {
  Input input = kCropInput;
  int64_t patch = 9;  // pixels
  int64_t channels = 256;
  int64_t depth = 12;  // blocks
  int64_t heads = 8;
  int64_t widening = 4;     // of the linear layers in blocks
  double drop_path = 0.1;   // of the last block; it grows evenly from 0 in the first
  double mask_share = 0.1;  // of the tokens
  int64_t outputs = 512;
};

// `dropout` acts on the tokens, behind each attention and behind both linear layers of a block: the
// original's "drop_rate".
Description Vit(const VitShape& shape, double dropout = 0.0);

}  // namespace facegate::network
