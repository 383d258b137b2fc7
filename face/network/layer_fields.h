#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <variant>

#include "face/network/description.h"

// The kinds of layers as tables: their names, and the name and range of each of their fields. What
// reads or writes descriptions in a form of its own is an Io, which Fields() tells of each field:
//
//   io.Number(name, value, least, most)    a whole number
//   io.Numbers(name, {values}, least, most)
//   io.Real(name, value, least, most)      a number
//   io.Truth(name, value)
//   io.Layers(name, layers, dots)          layers within, whose names may have dots
//   io.Calls(name, calls)
//   io.Divides(name, whole, part), io.Require(name, fits)   what must be true of the fields
namespace facegate::network {

inline constexpr int64_t kMaxExtent = int64_t{1} << 22;  // channels, and lengths of lists
inline constexpr int64_t kMaxSide = 1024;                // pixels

// The kinds by name, in the order of LayerKind.
inline constexpr std::array<std::string_view, std::variant_size_v<LayerKind>> kKindNames = {
    "convolution",    "oblong convolution",
    "max pool",       "average pool",
    "global average", "pad",
    "batch norm",     "affine",
    "prelu",          "relu",
    "clip",           "sigmoid",
    "linear",         "dropout",
    "flatten",        "subsample",
    "channel gate",   "pixel shuffle",
    "tokens",         "position embedding",
    "layer norm",     "self attention",
    "drop path",      "drop tokens",
    "mask token",     "chain",
    "residual",       "graph"};

// The joins by name, in the order of Join.
inline constexpr std::array<std::string_view, 5> kJoinNames = {"add", "subtract", "multiply",
                                                               "divide", "concat"};

// These tell an Io, which reads or writes, each field of a kind by its name and range.
template <typename Io>
void Fields(Io& io, Sides& sides, const char* name, int64_t least) {
  io.Numbers(name, {&sides.height, &sides.width}, least, kMaxSide);
}
template <typename Io>
void Fields(Io& io, Window& window) {
  Fields(io, window.kernel, "kernel", 1);
  Fields(io, window.stride, "stride", 1);
  Fields(io, window.dilation, "dilation", 1);
  Borders& padding = window.padding;
  io.Numbers("padding", {&padding.top, &padding.left, &padding.bottom, &padding.right}, 0,
             kMaxSide);
}
template <typename Io>
void Fields(Io& io, Convolution& layer) {
  auto& [in, out, kernel, stride, padding, groups] = layer.shape;
  io.Number("in", in, 1, kMaxExtent);
  io.Number("out", out, 1, kMaxExtent);
  io.Number("kernel", kernel, 1, kMaxSide);
  io.Number("stride", stride, 1, kMaxSide);
  io.Number("padding", padding, 0, kMaxSide);
  io.Number("groups", groups, 1, kMaxExtent);
  io.Truth("bias", layer.bias);
  io.Divides("groups", in, groups);
  io.Divides("groups", out, groups);
}
template <typename Io>
void Fields(Io& io, OblongConvolution& layer) {
  io.Number("in", layer.in, 1, kMaxExtent);
  io.Number("out", layer.out, 1, kMaxExtent);
  io.Number("groups", layer.groups, 1, kMaxExtent);
  Fields(io, layer.window);
  io.Truth("bias", layer.bias);
  io.Divides("groups", layer.in, layer.groups);
  io.Divides("groups", layer.out, layer.groups);
}
template <typename Io>
void Fields(Io& io, MaxPool& layer) {
  Fields(io, layer.window);
}
template <typename Io>
void Fields(Io& io, AveragePool& layer) {
  Fields(io, layer.window);
  io.Truth("count_padding", layer.count_padding);
  io.Require("dilation", layer.window.dilation == Sides{});
}
template <typename Io>
void Fields(Io& io, Pad& layer) {
  Borders& borders = layer.borders;
  io.Numbers("borders", {&borders.top, &borders.left, &borders.bottom, &borders.right}, 0,
             kMaxSide);
}
template <typename Io>
void Fields(Io& io, BatchNorm& layer) {
  io.Number("channels", layer.channels, 1, kMaxExtent);
  io.Truth("fixed_weight", layer.fixed_weight);
  io.Real("epsilon", layer.epsilon, 0.0, 1.0);
  io.Truth("affine", layer.affine);
}
template <typename Io>
void Fields(Io& io, ChannelAffine& layer) {
  io.Number("channels", layer.channels, 1, kMaxExtent);
  io.Truth("weight", layer.weight);
  io.Truth("bias", layer.bias);
}
template <typename Io>
void Fields(Io& io, PRelu& layer) {
  io.Number("channels", layer.channels, 1, kMaxExtent);
}
template <typename Io>
void Fields(Io& io, Clip& layer) {
  constexpr double kMost = std::numeric_limits<float>::max();
  io.Real("low", layer.low, -kMost, kMost);
  io.Real("high", layer.high, -kMost, kMost);
}
template <typename Io>
void Fields(Io& io, Linear& layer) {
  io.Number("in", layer.in, 1, kMaxExtent);
  io.Number("out", layer.out, 1, kMaxExtent);
  io.Truth("bias", layer.bias);
}
template <typename Io>
void Fields(Io& io, Dropout& layer) {
  io.Real("probability", layer.probability, 0.0, 1.0);
}
template <typename Io>
void Fields(Io& io, Subsample& layer) {
  io.Number("stride", layer.stride, 1, kMaxSide);
}
template <typename Io>
void Fields(Io& io, ChannelGate& layer) {
  io.Number("channels", layer.channels, 1, kMaxExtent);
  io.Number("reduction", layer.reduction, 1, kMaxExtent);
  io.Divides("reduction", layer.channels, layer.reduction);
}
template <typename Io>
void Fields(Io& io, PixelShuffle& layer) {
  io.Number("factor", layer.factor, 1, kMaxSide);
}
template <typename Io>
void Fields(Io& io, PositionEmbedding& layer) {
  io.Number("count", layer.count, 1, kMaxExtent);
  io.Number("channels", layer.channels, 1, kMaxExtent);
}
template <typename Io>
void Fields(Io& io, LayerNorm& layer) {
  io.Number("channels", layer.channels, 1, kMaxExtent);
  io.Real("epsilon", layer.epsilon, 0.0, 1.0);
}
template <typename Io>
void Fields(Io& io, SelfAttention& layer) {
  io.Number("channels", layer.channels, 1, kMaxExtent);
  io.Number("heads", layer.heads, 1, kMaxExtent);
  io.Truth("bias", layer.bias);
  io.Divides("heads", layer.channels, layer.heads);
}
template <typename Io>
void Fields(Io& io, DropPath& layer) {
  io.Real("probability", layer.probability, 0.0, 1.0);
}
template <typename Io>
void Fields(Io& io, DropTokens& layer) {
  io.Real("share", layer.share, 0.0, 1.0);
}
template <typename Io>
void Fields(Io& io, MaskToken& layer) {
  io.Number("channels", layer.channels, 1, kMaxExtent);
}
template <typename Io>
void Fields(Io& io, Chain& layer) {
  io.Layers("layers", layer.layers, false);
}
template <typename Io>
void Fields(Io& io, Residual& layer) {
  io.Layers("layers", layer.layers, false);
  io.Layers("shortcut", layer.shortcut, false);
}
template <typename Io>
void Fields(Io& io, Graph& layer) {
  io.Layers("layers", layer.layers, true);
  io.Calls("calls", layer.calls);
}
template <typename Io>
void Fields(Io& /*io*/, Relu& /*layer*/) {}
template <typename Io>
void Fields(Io& /*io*/, Sigmoid& /*layer*/) {}
template <typename Io>
void Fields(Io& /*io*/, GlobalAverage& /*layer*/) {}
template <typename Io>
void Fields(Io& /*io*/, Flatten& /*layer*/) {}
template <typename Io>
void Fields(Io& /*io*/, Tokens& /*layer*/) {}

}  // namespace facegate::network
