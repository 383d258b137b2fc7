#include "face/network/resnet.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

constexpr int64_t kExpansion = 4;  // of a bottleneck
constexpr std::string_view kNumberedTrunk = "resnet_layer";

Graph Unit(const ResNetShape& shape, int64_t in, int64_t width, int64_t stride) {
  const int64_t out = shape.bottleneck ? kExpansion * width : width;
  GraphWriter graph;
  size_t value = 0;
  if (shape.bottleneck) {
    value = graph.Add("conv1", Conv1x1(in, width), value);
    value = graph.Add("bn1", BatchNorm{width}, value);
    value = graph.Add("relu", Relu{}, value);
    value = graph.Add("conv2", Conv3x3(width, width, stride), value);
    value = graph.Add("bn2", BatchNorm{width}, value);
    value = graph.Again("relu", value);
    value = graph.Add("conv3", Conv1x1(width, out), value);
    value = graph.Add("bn3", BatchNorm{out}, value);
  } else {
    value = graph.Add("conv1", Conv3x3(in, width, stride), value);
    value = graph.Add("bn1", BatchNorm{width}, value);
    value = graph.Add("relu", Relu{}, value);
    value = graph.Add("conv2", Conv3x3(width, width), value);
    value = graph.Add("bn2", BatchNorm{width}, value);
  }
  size_t shortcut = 0;
  if (stride != 1 || in != out) {
    shortcut =
        graph.Add("downsample", Sequence({Conv1x1(in, out, stride), BatchNorm{out}}), shortcut);
  }
  graph.Again("relu", graph.Meet(Join::kAdd, {value, shortcut}));
  return graph.Take();
}

std::vector<Layer> Trunk(const ResNetShape& shape) {
  const int64_t kernel = shape.stem_kernel;
  const ConvShape stem{.in = shape.input.channels,
                       .out = shape.stem,
                       .kernel = kernel,
                       .stride = kernel == 7 ? 2 : 1,
                       .padding = kernel / 2};
  std::vector<Layer> layers = {
      {"conv1", Convolution{stem}}, {"bn1", BatchNorm{shape.stem}}, {"relu", Relu{}}};
  if (shape.pooled_stem) layers.push_back({"maxpool", MaxPool{SquareWindow(3, 2, 1)}});
  int64_t in = shape.stem;
  for (size_t stage = 0; stage < shape.units.size(); ++stage) {
    const int64_t width = shape.widths[stage];
    std::vector<LayerKind> units;
    for (int64_t i = 0; i < shape.units[stage]; ++i) {
      const int64_t stride = i > 0 ? 1 : stage > 0 ? 2 : shape.first_stride;
      units.emplace_back(Unit(shape, in, width, stride));
      in = shape.bottleneck ? kExpansion * width : width;
    }
    layers.push_back({"layer" + std::to_string(stage + 1), Sequence(std::move(units)), true});
  }
  if (shape.average) layers.push_back({"avgpool", GlobalAverage{}});
  return layers;
}

// The same in one chain, named by their positions.
std::vector<Layer> Numbered(std::vector<Layer> layers) {
  std::vector<LayerKind> kinds;
  kinds.reserve(layers.size());
  for (Layer& layer : layers) kinds.push_back(std::move(layer.kind));
  return {{std::string(kNumberedTrunk), Sequence(std::move(kinds))}};
}

void AppendHead(const ResNetShape& shape, double dropout, std::vector<Layer>& layers) {
  layers.push_back({"flatten", Flatten{}});
  const int64_t numbers = NumbersAfter(shape.input, layers);
  const Linear linear{.in = numbers, .out = shape.outputs, .bias = shape.bias};
  switch (shape.head) {
    case ResNetHead::kLinear:
      return layers.push_back({shape.linear, linear});
    case ResNetHead::kNormedLinear:
      return layers.push_back({"fc", Sequence({BatchNorm{numbers}, Dropout{dropout}, linear,
                                               BatchNorm{shape.outputs}})});
    case ResNetHead::kExtractLayer:
      break;
  }
  layers.push_back({"extract_layer", Sequence({linear, BatchNorm{shape.outputs}})});
}

}  // namespace

Description ResNet(const ResNetShape& shape, double dropout) {
  std::vector<Layer> layers = Trunk(shape);
  if (shape.head == ResNetHead::kExtractLayer) layers = Numbered(std::move(layers));
  AppendHead(shape, dropout, layers);
  return {.name = {},
          .input = shape.input,
          .outputs = shape.outputs,
          .layers = std::move(layers),
          .more = {}};
}

std::string NameByPosition(std::string_view torchvision) {
  // The layers of Trunk() in their order; those without tensors count, too.
  constexpr std::array<std::string_view, 8> kTrunk = {"conv1",  "bn1",    "relu",   "maxpool",
                                                      "layer1", "layer2", "layer3", "layer4"};
  const size_t dot = torchvision.find('.');
  const auto* const found = std::find(kTrunk.begin(), kTrunk.end(), torchvision.substr(0, dot));
  if (found == kTrunk.end() || dot == std::string_view::npos) return std::string(torchvision);
  return std::string(kNumberedTrunk) + "." + std::to_string(found - kTrunk.begin()) +
         std::string(torchvision.substr(dot));
}

ResNetShape ResNetOfDepth(int depth) {
  ResNetShape shape;
  shape.bottleneck = depth >= 50;
  shape.units = depth == 18    ? std::array<int64_t, 4>{2, 2, 2, 2}
                : depth == 101 ? std::array<int64_t, 4>{3, 4, 23, 3}
                : depth == 152 ? std::array<int64_t, 4>{3, 8, 36, 3}
                               : std::array<int64_t, 4>{3, 4, 6, 3};
  return shape;
}

ResNetShape GreyResNet(int depth) {
  ResNetShape shape = ResNetOfDepth(depth);
  shape.input = {.channels = 1, .height = 128, .width = 128};
  shape.linear = "fc5";
  return shape;
}

ResNetShape PooledResNet(int depth) {
  ResNetShape shape = ResNetOfDepth(depth);
  shape.input = {.channels = 3, .height = 200, .width = 200};
  shape.pooled_stem = true;
  shape.head = ResNetHead::kNormedLinear;
  return shape;
}

ResNetShape MeanResNet50() {
  ResNetShape shape = ResNetOfDepth(50);
  shape.input = {.channels = 3, .height = 160, .width = 160};
  shape.stem_kernel = 7;
  shape.pooled_stem = true;
  shape.first_stride = 1;
  shape.average = true;
  shape.head = ResNetHead::kExtractLayer;
  shape.outputs = 128;
  return shape;
}

ResNetShape PlaneResNet18() {
  ResNetShape shape = MeanResNet50();
  const ResNetShape small = ResNetOfDepth(18);
  shape.bottleneck = small.bottleneck;
  shape.units = small.units;
  shape.average = false;
  shape.outputs = 2;
  return shape;
}

}  // namespace facegate::network
