#include "face/network/ghostfacenet.h"

#include <algorithm>
#include <array>
#include <utility>

#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

// A unit of GhostNet, with the channels that it has at a width of 1.
struct GhostUnit {
  int64_t kernel = 3;     // of its depthwise convolutions, but for those of ghost modules
  int64_t expansion = 0;  // channels in between
  int64_t out = 0;
  int64_t stride = 1;
  bool gate = false;
};

constexpr int64_t kStem = 16;
constexpr int64_t kLast = 512;
constexpr double kSqueezed = 0.25;  // of a gate's channels
constexpr std::array kUnits = {GhostUnit{3, 16, 16},
                               GhostUnit{3, 48, 24, 2},
                               GhostUnit{3, 72, 24},
                               GhostUnit{5, 72, 40, 2, true},
                               GhostUnit{5, 120, 40, 1, true},
                               GhostUnit{3, 240, 80, 2},
                               GhostUnit{3, 200, 80},
                               GhostUnit{3, 184, 80},
                               GhostUnit{3, 184, 80},
                               GhostUnit{3, 480, 112, 1, true},
                               GhostUnit{3, 672, 112, 1, true},
                               GhostUnit{5, 672, 160, 2, true},
                               GhostUnit{5, 960, 160},
                               GhostUnit{5, 960, 160, 1, true},
                               GhostUnit{5, 960, 160},
                               GhostUnit{5, 512, 160, 1, true}};

// The multiple of 4 that is nearest to so many channels; one more where that were 10 % less.
int64_t Channels(double wanted) {
  constexpr int64_t kStep = 4;
  const int64_t near = static_cast<int64_t>(wanted + kStep / 2.0) / kStep * kStep;
  const int64_t channels = std::max(kStep, near);
  return static_cast<double>(channels) < 0.9 * wanted ? channels + kStep : channels;
}

// A square map's extent after a convolution that pads at its edges.
int64_t SideAfter(int64_t side, int64_t stride) { return (side + stride - 1) / stride; }

// A convolution's padding as Keras does it; there is no layer "pad" where it is the same all round.
void AppendPadded(std::vector<Layer>& layers, std::string name, std::string pad,
                  Convolution convolution, int64_t side) {
  ConvShape& shape = convolution.shape;
  const int64_t padding = std::max<int64_t>(
      0, (SideAfter(side, shape.stride) - 1) * shape.stride + shape.kernel - side);
  const int64_t before = padding / 2;
  const int64_t after = padding - before;
  shape.padding = before == after ? before : 0;
  if (before != after) layers.push_back({std::move(pad), Pad{{before, before, after, after}}});
  layers.push_back({std::move(name), convolution});
}

// A convolution and its batch norm, with a PReLU where it is active.
Chain Block(const Convolution& convolution, bool active) {
  const int64_t channels = convolution.shape.out;
  Chain block{{{"conv", convolution}, {"bn", BatchNorm{channels}}}};
  if (active) block.layers.push_back({"prelu", PRelu{channels}});
  return block;
}

Graph GhostModule(int64_t in, int64_t out, bool active) {
  const int64_t half = out / 2;
  GraphWriter graph;
  const size_t own = graph.Add("primary_conv", Block(Conv1x1(in, half), active), 0);
  const size_t ghosts =
      graph.Add("cheap_operation", Block(DepthwiseConvolution(half, 3, 1), active), own);
  graph.Meet(Join::kConcat, {own, ghosts});
  return graph.Take();
}

// What lies between equal limits is a constant.
constexpr Clip Constant(double number) { return {.low = number, .high = number}; }

Graph Gate(int64_t channels) {
  const int64_t squeezed = Channels(kSqueezed * static_cast<double>(channels));
  Convolution reduce = Conv1x1(channels, squeezed);
  Convolution expand = Conv1x1(squeezed, channels);
  reduce.bias = true;
  expand.bias = true;
  GraphWriter graph;
  size_t value = graph.Add("avg_pool", GlobalAverage{}, 0);
  value = graph.Add("conv_reduce", reduce, value);
  value = graph.Add("prelu", PRelu{squeezed}, value);
  value = graph.Add("conv_expand", expand, value);
  const size_t slope = graph.Add("slope", Constant(0.2), value);
  const size_t middle = graph.Add("middle", Constant(0.5), value);
  value = graph.Meet(Join::kMultiply, {value, slope});
  value = graph.Meet(Join::kAdd, {value, middle});
  value = graph.Add("gate", Clip{.low = 0.0, .high = 1.0}, value);
  graph.Meet(Join::kMultiply, {0, value});
  return graph.Take();
}

// `unit` has the channels that it has here; `side` is the extent of the map that it reads.
Residual Bottleneck(const GhostUnit& unit, int64_t in, int64_t side) {
  const auto& [kernel, expansion, out, stride, gate] = unit;
  Residual residual;
  std::vector<Layer>& layers = residual.layers;
  layers.push_back({"ghost1", GhostModule(in, expansion, true)});
  if (stride > 1) {
    AppendPadded(layers, "conv_dw", "pad_dw", DepthwiseConvolution(expansion, kernel, stride),
                 side);
    layers.push_back({"bn_dw", BatchNorm{expansion}});
  }
  if (gate) layers.push_back({"se", Gate(expansion)});
  layers.push_back({"ghost2", GhostModule(expansion, out, false)});
  if (stride > 1 || in != out) {
    std::vector<Layer> shortcut;
    AppendPadded(shortcut, "0", "pad", DepthwiseConvolution(in, kernel, stride), side);
    shortcut.push_back({"1", BatchNorm{in}});
    shortcut.push_back({"2", Conv1x1(in, out)});
    shortcut.push_back({"3", BatchNorm{out}});
    residual.shortcut = {{"shortcut", Chain{std::move(shortcut)}}};
  }
  return residual;
}

}  // namespace

Description GhostFaceNet(const GhostFaceNetShape& shape, double dropout) {
  const auto scaled = [&shape](int64_t channels) {
    return Channels(shape.width * static_cast<double>(channels));
  };
  int64_t in = scaled(kStem);
  std::vector<Layer> layers;
  int64_t side = shape.input.height;
  AppendPadded(layers, "conv_stem", "pad_stem", Conv3x3(shape.input.channels, in, shape.stride),
               side);
  layers.push_back({"bn1", BatchNorm{in}});
  layers.push_back({"prelu1", PRelu{in}});
  side = SideAfter(side, shape.stride);
  std::vector<LayerKind> blocks;
  for (GhostUnit unit : kUnits) {
    unit.expansion = scaled(unit.expansion);
    unit.out = scaled(unit.out);
    blocks.emplace_back(Bottleneck(unit, in, side));
    in = unit.out;
    side = SideAfter(side, unit.stride);
  }
  const int64_t last = scaled(kLast);
  const std::vector<Layer> head = {
      {"blocks", Sequence(std::move(blocks)), true},
      {"conv_last", Conv1x1(in, last)},
      {"bn2", BatchNorm{last}},
      {"prelu2", PRelu{last}, true},
      {"GDC_dw", Convolution{{.in = last, .out = last, .kernel = side, .groups = last}}},
      {"GDC_batchnorm", BatchNorm{last}},
      {"GDC_dropout", Dropout{dropout}},
      {"GDC_conv", Conv1x1(last, shape.outputs)},
      {"GDC_flatten", Flatten{}},
      {"pre_embedding", BatchNorm{shape.outputs}}};
  layers.insert(layers.end(), head.begin(), head.end());
  return {.name = {},
          .input = shape.input,
          .outputs = shape.outputs,
          .layers = std::move(layers),
          .more = {}};
}

}  // namespace facegate::network
