#include "face/network/iresnet.h"

#include <utility>

namespace facegate::network {
namespace {

constexpr int64_t kEmbeddingSize = 512;
constexpr int64_t kLastSide = kCropInput.height / 16;  // pixels; each stage halves

Convolution Conv3x3(int64_t in, int64_t out, int64_t stride = 1) {
  return {{.in = in, .out = out, .kernel = 3, .stride = stride, .padding = 1}};
}

Residual Unit(int64_t in, int64_t out, int64_t stride) {
  Residual unit;
  unit.layers = {
      {"bn1", BatchNorm{in}}, {"conv1", Conv3x3(in, out)},          {"bn2", BatchNorm{out}},
      {"prelu", PRelu{out}},  {"conv2", Conv3x3(out, out, stride)}, {"bn3", BatchNorm{out}}};
  if (stride != 1 || in != out) {
    const Convolution resize{{.in = in, .out = out, .stride = stride}};
    unit.shortcut = {{"downsample", Sequence({resize, BatchNorm{out}})}};
  }
  return unit;
}

Chain Stage(int units, int64_t in, int64_t out) {
  std::vector<LayerKind> stage = {Unit(in, out, 2)};
  for (int i = 1; i < units; ++i) stage.emplace_back(Unit(out, out, 1));
  return Sequence(std::move(stage));
}

}  // namespace

Description IResNet(const std::array<int, 4>& units, double dropout) {
  return {.name = {},
          .input = kCropInput,
          .outputs = kEmbeddingSize,
          .layers = {{"conv1", Conv3x3(3, 64)},
                     {"bn1", BatchNorm{64}},
                     {"prelu", PRelu{64}},
                     {"layer1", Stage(units[0], 64, 64), true},
                     {"layer2", Stage(units[1], 64, 128), true},
                     {"layer3", Stage(units[2], 128, 256), true},
                     {"layer4", Stage(units[3], 256, 512), true},
                     {"bn2", BatchNorm{512}},
                     {"flatten", Flatten{}},
                     {"dropout", Dropout{dropout}},
                     {"fc", Linear{512 * kLastSide * kLastSide, kEmbeddingSize, true}},
                     {"features", BatchNorm{kEmbeddingSize, true}}},
          .more = {}};
}

}  // namespace facegate::network
