#include "face/network/iresnet.h"

#include <string>
#include <utility>

#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

Residual Unit(int64_t in, int64_t out, int64_t stride) {
  Residual unit;
  unit.layers = {
      {"bn1", BatchNorm{in}}, {"conv1", Conv3x3(in, out)},          {"bn2", BatchNorm{out}},
      {"prelu", PRelu{out}},  {"conv2", Conv3x3(out, out, stride)}, {"bn3", BatchNorm{out}}};
  if (stride != 1 || in != out) {
    unit.shortcut = {{"downsample", Sequence({Conv1x1(in, out, stride), BatchNorm{out}})}};
  }
  return unit;
}

Chain Stage(int64_t units, int64_t in, int64_t out) {
  std::vector<LayerKind> stage = {Unit(in, out, 2)};
  for (int64_t i = 1; i < units; ++i) stage.emplace_back(Unit(out, out, 1));
  return Sequence(std::move(stage));
}

}  // namespace

Description IResNet(const IResNetShape& shape, double dropout) {
  std::vector<Layer> layers = {{"conv1", Conv3x3(shape.input.channels, shape.stem)},
                               {"bn1", BatchNorm{shape.stem}},
                               {"prelu", PRelu{shape.stem}}};
  int64_t in = shape.stem;
  for (size_t stage = 0; stage < shape.units.size(); ++stage) {
    const int64_t out = shape.widths[stage];
    layers.push_back(
        {"layer" + std::to_string(stage + 1), Stage(shape.units[stage], in, out), true});
    in = out;
  }
  layers.push_back({"bn2", BatchNorm{in}});
  layers.push_back({"flatten", Flatten{}});
  layers.push_back({"dropout", Dropout{dropout}});
  const int64_t numbers = NumbersAfter(shape.input, layers);
  layers.push_back({"fc", Linear{numbers, shape.outputs, true}});
  layers.push_back({"features", BatchNorm{shape.outputs, true}});
  return {.name = {},
          .input = shape.input,
          .outputs = shape.outputs,
          .layers = std::move(layers),
          .more = {}};
}

}  // namespace facegate::network
