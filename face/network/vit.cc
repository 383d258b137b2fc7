#include "face/network/vit.h"

#include <string>
#include <utility>
#include <vector>

namespace facegate::network {
namespace {

constexpr double kHeadEpsilon = 2e-5;  // of the head's batch norms

Chain Mlp(int64_t channels, int64_t hidden, double dropout) {
  return {{{"fc1", Linear{.in = channels, .out = hidden, .bias = true}},
           {"act", Clip{.low = 0.0, .high = 6.0}},
           {"drop1", Dropout{dropout}},
           {"fc2", Linear{.in = hidden, .out = channels, .bias = true}},
           {"drop2", Dropout{dropout}}}};
}

// The layers stand in the original's order, which is not that of the calls.
Graph Block(const VitShape& shape, double drop_path, double dropout) {
  const int64_t channels = shape.channels;
  constexpr size_t kNorm1 = 0;
  constexpr size_t kNorm2 = 1;
  constexpr size_t kAttention = 2;
  constexpr size_t kDropout = 3;
  constexpr size_t kDropPath = 4;
  constexpr size_t kMlp = 5;
  constexpr size_t kAttended = 5;  // the value that the fifth call gives
  return {.layers = {{"norm1", LayerNorm{channels}},
                     {"norm2", LayerNorm{channels}},
                     {"attn", SelfAttention{.channels = channels, .heads = shape.heads}},
                     {"attn_drop", Dropout{dropout}},
                     {"drop_path", DropPath{drop_path}},
                     {"mlp", Mlp(channels, shape.widening * channels, dropout)}},
          .calls = {{kNorm1, {0}},
                    {kAttention, {1}},
                    {kDropout, {2}},
                    {kDropPath, {3}},
                    {Join::kAdd, {0, 4}},
                    {kNorm2, {kAttended}},
                    {kMlp, {6}},
                    {kDropPath, {7}},
                    {Join::kAdd, {kAttended, 8}}}};
}

Chain Blocks(const VitShape& shape, double dropout) {
  std::vector<LayerKind> blocks;
  for (int64_t i = 0; i < shape.depth; ++i) {
    const double part =
        shape.depth > 1 ? static_cast<double>(i) / static_cast<double>(shape.depth - 1) : 0.0;
    blocks.emplace_back(Block(shape, part * shape.drop_path, dropout));
  }
  return Sequence(std::move(blocks));
}

}  // namespace

Description Vit(const VitShape& shape, double dropout) {
  const int64_t channels = shape.channels;
  const int64_t tokens = (shape.input.height / shape.patch) * (shape.input.width / shape.patch);
  const ConvShape patches{
      .in = shape.input.channels, .out = channels, .kernel = shape.patch, .stride = shape.patch};
  const Chain embedding{{{"proj", Convolution{.shape = patches, .bias = true}}}};
  return {.name = {},
          .input = shape.input,
          .outputs = shape.outputs,
          .layers = {{"patch_embed", embedding},
                     {"tokens", Tokens{}},
                     {"pos_embed", PositionEmbedding{.count = tokens, .channels = channels}},
                     {"pos_drop", Dropout{dropout}},
                     {"masking", DropTokens{shape.mask_share}},
                     {"blocks", Blocks(shape, dropout)},
                     {"norm", LayerNorm{channels}},
                     {"mask_token", MaskToken{channels}},
                     {"flatten", Flatten{}},
                     {"feature",
                      Sequence({Linear{.in = tokens * channels, .out = channels},
                                BatchNorm{.channels = channels, .epsilon = kHeadEpsilon},
                                Linear{.in = channels, .out = shape.outputs},
                                BatchNorm{.channels = shape.outputs, .epsilon = kHeadEpsilon}})}},
          .more = {}};
}

}  // namespace facegate::network
