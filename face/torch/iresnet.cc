#include "face/torch/iresnet.h"

#include <string>

namespace facegate {
namespace {

constexpr int64_t kEmbeddingSize = 512;
constexpr int64_t kLastSide = Backbone::kInputSide / 16;  // pixels; each stage halves

ConvShape Conv3x3(int64_t in, int64_t out, int64_t stride = 1) {
  return {.in = in, .out = out, .kernel = 3, .stride = stride, .padding = 1};
}

std::shared_ptr<Layer> Unit(int64_t in, int64_t out, int64_t stride) {
  auto unit = std::make_shared<Residual>();
  unit->Append("bn1", std::make_shared<BatchNorm>(in));
  unit->Append("conv1", std::make_shared<Conv2d>(Conv3x3(in, out)));
  unit->Append("bn2", std::make_shared<BatchNorm>(out));
  unit->Append("prelu", std::make_shared<PRelu>(out));
  unit->Append("conv2", std::make_shared<Conv2d>(Conv3x3(out, out, stride)));
  unit->Append("bn3", std::make_shared<BatchNorm>(out));
  if (stride != 1 || in != out) {
    auto shortcut = std::make_shared<Chain>();
    shortcut->Append(std::make_shared<Conv2d>(ConvShape{.in = in, .out = out, .stride = stride}));
    shortcut->Append(std::make_shared<BatchNorm>(out));
    unit->SetShortcut("downsample", shortcut);
  }
  return unit;
}

std::shared_ptr<Layer> Stage(int units, int64_t in, int64_t out) {
  auto stage = std::make_shared<Chain>();
  stage->Append(Unit(in, out, 2));
  for (int i = 1; i < units; ++i) stage->Append(Unit(out, out, 1));
  return stage;
}

}  // namespace

std::shared_ptr<Backbone> MakeIResNet(const std::array<int, 4>& units, double dropout) {
  auto net = std::make_shared<Backbone>();
  net->Append("conv1", std::make_shared<Conv2d>(Conv3x3(3, 64)));
  net->Append("bn1", std::make_shared<BatchNorm>(64));
  net->Append("prelu", std::make_shared<PRelu>(64));
  net->Append("layer1", Stage(units[0], 64, 64)).MarkMap();
  net->Append("layer2", Stage(units[1], 64, 128)).MarkMap();
  net->Append("layer3", Stage(units[2], 128, 256)).MarkMap();
  net->Append("layer4", Stage(units[3], 256, 512)).MarkMap();
  net->Append("bn2", std::make_shared<BatchNorm>(512));
  net->Append("flatten", std::make_shared<Flatten>());
  net->Append("dropout", std::make_shared<Dropout>(dropout));
  net->Append("fc", std::make_shared<Linear>(512 * kLastSide * kLastSide, kEmbeddingSize, true));
  net->Append("features", std::make_shared<BatchNorm>(kEmbeddingSize, /*fixed_weight=*/true));
  return net;
}

}  // namespace facegate
