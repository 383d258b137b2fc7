#include "face/network/keras_networks.h"

#include <array>
#include <string>
#include <utility>

#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

constexpr int64_t kEmbeddingSize = 512;
constexpr double kKerasEpsilon = 1e-3;
constexpr double kResNetEpsilon = 1.001e-5;
constexpr Clip kRelu6{.low = 0.0, .high = 6.0};

BatchNorm Norm(int64_t channels, double epsilon) {
  return {.channels = channels, .epsilon = epsilon};
}

Description WithHead(std::string name, Graph backbone, int64_t channels, double dropout) {
  std::vector<Layer> layers = {{std::move(name), std::move(backbone), true}};
  const int64_t numbers = NumbersAfter(kCropInput, layers);
  const std::vector<Layer> head = {
      {"batch_normalization", Norm(channels, kKerasEpsilon)},
      {"dropout", Dropout{dropout}},
      {"flatten", Flatten{}},
      {"dense", Linear{.in = numbers, .out = kEmbeddingSize, .bias = true}},
      {"batch_normalization_1", Norm(kEmbeddingSize, kKerasEpsilon)}};
  layers.push_back({"OutputLayer", Chain{head}});
  return {.name = {},
          .input = kCropInput,
          .outputs = kEmbeddingSize,
          .layers = std::move(layers),
          .more = {}};
}

// A convolution with bias, and its norm.
size_t NormedConv(GraphWriter& graph, const std::string& name, Convolution convolution,
                  size_t input) {
  convolution.bias = true;
  const size_t value = graph.Add(name + "_conv", convolution, input);
  return graph.Add(name + "_bn", Norm(convolution.shape.out, kResNetEpsilon), value);
}

size_t ResNetBlock(GraphWriter& graph, const std::string& name, const ConvShape& shape,
                   size_t input) {
  const auto& [in, out, kernel, stride, padding, groups] = shape;
  const int64_t width = out / 4;
  size_t shortcut = input;
  if (in != out) shortcut = NormedConv(graph, name + "_0", Conv1x1(in, out, stride), input);
  size_t value = NormedConv(graph, name + "_1", Conv1x1(in, width, stride), input);
  value = graph.Add(name + "_1_relu", Relu{}, value);
  value = NormedConv(graph, name + "_2", Conv3x3(width, width), value);
  value = graph.Add(name + "_2_relu", Relu{}, value);
  value = NormedConv(graph, name + "_3", Conv1x1(width, out), value);
  return graph.Add(name + "_out", Relu{}, graph.Meet(Join::kAdd, {shortcut, value}));
}

// Keras pads a convolution of stride 2 so that its last window ends at the picture's edge: where
// the extent is even, at the bottom and the right alone.
Borders BordersOfHalving(int64_t side) {
  const int64_t before = side % 2;
  return {.top = before, .left = before, .bottom = 1, .right = 1};
}

// An inverted residual.
struct MobileUnit {
  std::string name;  // without a "_" at its end
  int64_t in = 0;    // channels
  int64_t out = 0;
  int64_t expansion = 1;  // times `in`
  int64_t stride = 1;
};

// `side` is the extent of the map that it reads.
size_t AddUnit(GraphWriter& graph, const MobileUnit& unit, int64_t side, size_t input) {
  const auto& [name, in, out, expansion, stride] = unit;
  const int64_t wide = in * expansion;
  size_t value = input;
  if (expansion != 1) {
    value = graph.Add(name + "_expand", Conv1x1(in, wide), value);
    value = graph.Add(name + "_expand_BN", Norm(wide, kKerasEpsilon), value);
    value = graph.Add(name + "_expand_relu", kRelu6, value);
  }
  Convolution depthwise = DepthwiseConvolution(wide, 3, stride);
  if (stride == 2) {
    value = graph.Add(name + "_pad", Pad{BordersOfHalving(side)}, value);
    depthwise.shape.padding = 0;
  }
  value = graph.Add(name + "_depthwise", depthwise, value);
  value = graph.Add(name + "_depthwise_BN", Norm(wide, kKerasEpsilon), value);
  value = graph.Add(name + "_depthwise_relu", kRelu6, value);
  value = graph.Add(name + "_project", Conv1x1(wide, out), value);
  value = graph.Add(name + "_project_BN", Norm(out, kKerasEpsilon), value);
  return in == out && stride == 1 ? graph.Meet(Join::kAdd, {input, value}) : value;
}

}  // namespace

Description KerasResNet50(double dropout) {
  GraphWriter graph;
  size_t value = graph.Add("conv1_pad", Pad{{3, 3, 3, 3}}, 0);
  value = NormedConv(graph, "conv1", {{.in = 3, .out = 64, .kernel = 7, .stride = 2}}, value);
  value = graph.Add("conv1_relu", Relu{}, value);
  value = graph.Add("pool1_pad", Pad{{1, 1, 1, 1}}, value);
  value = graph.Add("pool1_pool", MaxPool{SquareWindow(3, 2, 0)}, value);
  constexpr std::array<int, 4> kUnits = {3, 4, 6, 3};
  int64_t in = 64;
  int64_t out = 256;
  for (size_t stage = 0; stage < kUnits.size(); ++stage) {
    for (int block = 1; block <= kUnits[stage]; ++block) {
      const std::string name =
          "conv" + std::to_string(stage + 2) + "_block" + std::to_string(block);
      const int64_t stride = block == 1 && stage > 0 ? 2 : 1;
      value = ResNetBlock(graph, name, {.in = in, .out = out, .stride = stride}, value);
      in = out;
    }
    out *= 2;
  }
  return WithHead("resnet50", graph.Take(), in, dropout);
}

Description KerasMobileNetV2(double dropout) {
  struct Stage {
    int64_t out = 0;  // channels
    int units = 0;
    int64_t expansion = 1;
    int64_t stride = 1;  // of the first unit
  };
  constexpr std::array kStages = {Stage{16, 1, 1, 1}, Stage{24, 2, 6, 2}, Stage{32, 3, 6, 2},
                                  Stage{64, 4, 6, 2}, Stage{96, 3, 6, 1}, Stage{160, 3, 6, 2},
                                  Stage{320, 1, 6, 1}};
  int64_t side = kCropInput.height;
  int64_t in = 32;
  GraphWriter graph;
  size_t value = graph.Add("Conv1_pad", Pad{BordersOfHalving(side)}, 0);
  value = graph.Add("Conv1", Convolution{{.in = 3, .out = in, .kernel = 3, .stride = 2}}, value);
  value = graph.Add("bn_Conv1", Norm(in, kKerasEpsilon), value);
  value = graph.Add("Conv1_relu", kRelu6, value);
  side = (side + 1) / 2;
  int number = 0;
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.units; ++i, ++number) {
      const MobileUnit unit{
          .name = number == 0 ? "expanded_conv" : "block_" + std::to_string(number),
          .in = in,
          .out = stage.out,
          .expansion = stage.expansion,
          .stride = i == 0 ? stage.stride : 1};
      value = AddUnit(graph, unit, side, value);
      in = unit.out;
      side = (side + unit.stride - 1) / unit.stride;
    }
  }
  constexpr int64_t kLast = 1280;
  value = graph.Add("Conv_1", Conv1x1(in, kLast), value);
  value = graph.Add("Conv_1_bn", Norm(kLast, kKerasEpsilon), value);
  graph.Add("out_relu", kRelu6, value);
  return WithHead("mobilenetv2", graph.Take(), kLast, dropout);
}

}  // namespace facegate::network
