#include "face/network/resnet_face.h"

#include <string>
#include <utility>

#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

constexpr PRelu kOneSlope{.channels = 1};

// Squeeze-and-excitation by linear layers, with a PReLU between them.
size_t Gate(GraphWriter& graph, int64_t channels, int64_t reduction, size_t input) {
  const int64_t squeezed = channels / reduction;
  size_t value = graph.Add("se.avg_pool", GlobalAverage{}, input);
  value = graph.Add("se.flatten", Flatten{}, value);
  value = graph.Add("se.fc.0", Linear{.in = channels, .out = squeezed, .bias = true}, value);
  value = graph.Add("se.fc.1", kOneSlope, value);
  value = graph.Add("se.fc.2", Linear{.in = squeezed, .out = channels, .bias = true}, value);
  value = graph.Add("se.fc.3", Sigmoid{}, value);
  return graph.Meet(Join::kMultiply, {input, value});
}

Graph Block(int64_t in, int64_t out, int64_t stride, int64_t reduction) {
  GraphWriter graph;
  size_t value = graph.Add("bn0", BatchNorm{in}, 0);
  value = graph.Add("conv1", Conv3x3(in, in), value);
  value = graph.Add("bn1", BatchNorm{in}, value);
  value = graph.Add("prelu", kOneSlope, value);
  value = graph.Add("conv2", Conv3x3(in, out, stride), value);
  value = graph.Add("bn2", BatchNorm{out}, value);
  size_t shortcut = 0;
  if (stride != 1 || in != out) {
    shortcut =
        graph.Add("downsample", Sequence({Conv1x1(in, out, stride), BatchNorm{out}}), shortcut);
  }
  if (reduction > 0) value = Gate(graph, out, reduction, value);
  graph.Again("prelu", graph.Meet(Join::kAdd, {value, shortcut}));
  return graph.Take();
}

}  // namespace

Description ResNetFace(const ResNetFaceShape& shape, double dropout) {
  std::vector<Layer> layers = {{"conv1", Conv3x3(shape.input.channels, shape.stem)},
                               {"bn1", BatchNorm{shape.stem}},
                               {"prelu", kOneSlope},
                               {"maxpool", MaxPool{SquareWindow(2, 2, 0)}}};
  int64_t in = shape.stem;
  for (size_t stage = 0; stage < shape.units.size(); ++stage) {
    std::vector<LayerKind> blocks;
    for (int64_t unit = 0; unit < shape.units[stage]; ++unit) {
      const int64_t stride = unit == 0 && stage > 0 ? 2 : 1;
      blocks.emplace_back(Block(in, shape.widths[stage], stride, shape.reduction));
      in = shape.widths[stage];
    }
    layers.push_back({"layer" + std::to_string(stage + 1), Sequence(std::move(blocks)), true});
  }
  layers.push_back({"bn4", BatchNorm{in}});
  layers.push_back({"dropout", Dropout{dropout}});
  layers.push_back({"flatten", Flatten{}});
  const int64_t numbers = NumbersAfter(shape.input, layers);
  layers.push_back({"fc5", Linear{.in = numbers, .out = shape.outputs, .bias = true}});
  layers.push_back({"bn5", BatchNorm{shape.outputs}});
  return {.name = {},
          .input = shape.input,
          .outputs = shape.outputs,
          .layers = std::move(layers),
          .more = {}};
}

}  // namespace facegate::network
