#include "face/network/mobilenet.h"

#include <utility>

#include "face/network/usual_layers.h"

namespace facegate::network {
namespace {

constexpr int64_t kEmbeddingSize = 512;
constexpr Clip kRelu6{.low = 0.0, .high = 6.0};

Chain Unit(int64_t in, int64_t out, int64_t stride) {
  return Sequence({DepthwiseConvolution(in, 3, stride), BatchNorm{in}, kRelu6, Conv1x1(in, out),
                   BatchNorm{out}, kRelu6});
}

}  // namespace

Description MobileNetV1(double dropout) {
  std::vector<LayerKind> first = {Sequence({Conv3x3(3, 32), BatchNorm{32}, kRelu6}),
                                  Unit(32, 64, 1),
                                  Unit(64, 128, 2),
                                  Unit(128, 128, 1),
                                  Unit(128, 256, 2),
                                  Unit(256, 256, 1)};
  std::vector<LayerKind> second = {Unit(256, 512, 2)};
  second.insert(second.end(), 5, Unit(512, 512, 1));
  std::vector<Layer> layers = {{"stage1", Sequence(std::move(first)), true},
                               {"stage2", Sequence(std::move(second)), true},
                               {"stage3", Sequence({Unit(512, 1024, 2), Unit(1024, 1024, 1)})},
                               {"sep", Conv1x1(1024, 512)},
                               {"sep_bn", BatchNorm{512}},
                               {"prelu", PRelu{512}, true},
                               {"bn2", BatchNorm{512}},
                               {"flatten", Flatten{}},
                               {"dropout", Dropout{dropout}}};
  const int64_t numbers = NumbersAfter(kCropInput, layers);
  layers.push_back({"linear", Linear{.in = numbers, .out = kEmbeddingSize, .bias = true}});
  layers.push_back({"features", BatchNorm{kEmbeddingSize}});
  return {.name = {},
          .input = kCropInput,
          .outputs = kEmbeddingSize,
          .layers = std::move(layers),
          .more = {}};
}

}  // namespace facegate::network
