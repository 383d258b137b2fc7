#pragma once

#include <cstdint>

#include "face/network/description.h"
#include "face/network/vit.h"

namespace facegate {

// A network of the layers of transformers and of a pixel shuffle, of two heads, with the names of
// InsightFace's ViT: it takes 3·6·8 and gives 5 numbers. Of its 12 tokens `share` are left out in
// training, and residuals with `drop_path`.
inline network::Description SmallTransformer(double share = 0.0, double drop_path = 0.0) {
  constexpr int64_t kChannels = 8;
  constexpr int64_t kTokens = 12;
  const network::LayerNorm norm{.channels = kChannels, .epsilon = 1e-4};
  const network::Residual attention{
      .layers = {{"norm1", norm},
                 {"attn", network::SelfAttention{.channels = kChannels, .heads = 2, .bias = true}},
                 {"drop_path", network::DropPath{drop_path}}},
      .shortcut = {}};
  const network::Residual plain{
      .layers = {{"norm2", norm},
                 {"fc1", network::Linear{.in = kChannels, .out = 16, .bias = true}},
                 {"act", network::Clip{.low = 0.0, .high = 6.0}},
                 {"relu", network::Relu{}},
                 {"fc2", network::Linear{.in = 16, .out = kChannels}}},
      .shortcut = {}};
  return {
      .name = "small transformer",
      .input = {.channels = 3, .height = 6, .width = 8},
      .outputs = 5,
      .layers = {{"stem",
                  network::Convolution{{.in = 3, .out = 12, .kernel = 2, .stride = 2}, true}},
                 {"shuffle", network::PixelShuffle{2}},
                 {"proj",
                  network::Convolution{{.in = 3, .out = kChannels, .kernel = 2, .stride = 2}}},
                 {"norm0", network::BatchNorm{kChannels}},
                 {"tokens", network::Tokens{}},
                 {"pos_embed", network::PositionEmbedding{.count = kTokens, .channels = kChannels}},
                 {"masking", network::DropTokens{share}},
                 {"blocks", network::Sequence({attention, plain})},
                 {"norm", norm},
                 {"mask_token", network::MaskToken{kChannels}},
                 {"flatten", network::Flatten{}},
                 {"bn", network::BatchNorm{kTokens * kChannels}},
                 {"fc", network::Linear{.in = kTokens * kChannels, .out = 5}}},
      .more = {}};
}

// A ViT of 16 tokens and two blocks, with a row and two columns left over.
inline network::Description TinyVit() {
  network::Description description =
      network::Vit({.input = {.channels = 3, .height = 17, .width = 18},
                    .patch = 4,
                    .channels = 32,
                    .depth = 2,
                    .heads = 4,
                    .mask_share = 0.25,
                    .outputs = 8});
  description.name = "tiny vit";
  return description;
}

}  // namespace facegate
