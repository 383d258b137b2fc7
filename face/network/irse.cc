#include "face/network/irse.h"

#include <utility>

#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

constexpr int64_t kReduction = 16;  // of the channel gates
constexpr int64_t kExpansion = 4;   // of a bottleneck

LayerKind Shortcut(int64_t in, int64_t out, int64_t stride) {
  if (in == out) return Subsample{stride};
  return Sequence({Conv1x1(in, out, stride), BatchNorm{out}});
}

std::vector<LayerKind> Body(IrUnit unit, int64_t in, int64_t out, int64_t stride) {
  const int64_t narrow = out / kExpansion;
  switch (unit) {
    case IrUnit::kPlain:
      return {BatchNorm{in}, Conv3x3(in, out), PRelu{out}, Conv3x3(out, out, stride),
              BatchNorm{out}};
    case IrUnit::kNormed:
      return {BatchNorm{in}, Conv3x3(in, out),          BatchNorm{out},
              PRelu{out},    Conv3x3(out, out, stride), BatchNorm{out}};
    case IrUnit::kBottleneck:
      break;
  }
  return {BatchNorm{in}, Conv1x1(in, narrow),          BatchNorm{narrow},
          PRelu{narrow}, Conv3x3(narrow, narrow),      BatchNorm{narrow},
          PRelu{narrow}, Conv1x1(narrow, out, stride), BatchNorm{out}};
}

Residual Unit(const IrShape& shape, int64_t in, int64_t out, int64_t stride) {
  Chain body = Sequence(Body(shape.unit, in, out, stride));
  if (shape.reduction > 0) {
    const std::string place =
        shape.unit == IrUnit::kPlain ? std::to_string(body.layers.size()) : "se_block";
    body.layers.push_back({place, ChannelGate{.channels = out, .reduction = shape.reduction}});
  }
  return {.layers = {{"res_layer", std::move(body)}},
          .shortcut = {{"shortcut_layer", Shortcut(in, out, stride)}}};
}

std::vector<IrStage> Stages(int depth) {
  switch (depth) {
    case 18:
      return {{2, 64}, {2, 128}, {2, 256}, {2, 512}};
    case 34:
      return {{3, 64}, {4, 128}, {6, 256}, {3, 512}};
    case 100:
      return {{3, 64}, {13, 128}, {30, 256}, {3, 512}};
    case 152:
      return {{3, 64}, {8, 128}, {36, 256}, {3, 512}};
    case 200:
      return {{3, 64}, {24, 128}, {36, 256}, {3, 512}};
    default:
      return {{3, 64}, {4, 128}, {14, 256}, {3, 512}};
  }
}

}  // namespace

Description Ir(const IrShape& shape, double dropout) {
  std::vector<LayerKind> body;
  int64_t in = shape.stem;
  for (const IrStage& stage : shape.stages) {
    for (int64_t i = 0; i < stage.units; ++i) {
      body.emplace_back(Unit(shape, in, stage.width, i == 0 ? 2 : 1));
      in = stage.width;
    }
  }
  const Chain input = Sequence(
      {Conv3x3(shape.input.channels, shape.stem), BatchNorm{shape.stem}, PRelu{shape.stem}});
  std::vector<Layer> layers = {{"input_layer", input}, {"body", Sequence(std::move(body)), true}};
  const int64_t numbers = NumbersAfter(shape.input, layers);
  const Chain output =
      Sequence({BatchNorm{in}, Dropout{dropout}, Flatten{}, Linear{numbers, shape.outputs, true},
                BatchNorm{.channels = shape.outputs, .affine = shape.affine_output}});
  layers.push_back({"output_layer", output});
  return {.name = {},
          .input = shape.input,
          .outputs = shape.outputs,
          .layers = std::move(layers),
          .more = {}};
}

IrShape EvolveIr(int depth, bool gates) {
  IrShape shape;
  shape.stages = Stages(depth);
  shape.reduction = gates ? kReduction : 0;
  return shape;
}

IrShape AdaFaceIr(int depth, bool gates) {
  IrShape shape = EvolveIr(depth, gates);
  shape.unit = depth < 152 ? IrUnit::kNormed : IrUnit::kBottleneck;
  shape.affine_output = false;
  if (shape.unit == IrUnit::kBottleneck) {
    for (IrStage& stage : shape.stages) stage.width *= kExpansion;
  }
  return shape;
}

}  // namespace facegate::network
