#include "face/torch/irse.h"

namespace facegate {
namespace {

constexpr int64_t kEmbeddingSize = 512;
constexpr int64_t kReduction = 16;                        // of the channel gates
constexpr int64_t kLastSide = Backbone::kInputSide / 16;  // pixels; each stage halves

ConvShape Conv3x3(int64_t in, int64_t out, int64_t stride = 1) {
  return {.in = in, .out = out, .kernel = 3, .stride = stride, .padding = 1};
}

std::shared_ptr<Layer> Shortcut(int64_t in, int64_t out, int64_t stride) {
  if (in == out) return std::make_shared<Subsample>(stride);
  auto shortcut = std::make_shared<Chain>();
  shortcut->Append(std::make_shared<Conv2d>(ConvShape{.in = in, .out = out, .stride = stride}));
  shortcut->Append(std::make_shared<BatchNorm>(out));
  return shortcut;
}

std::shared_ptr<Layer> Unit(int64_t in, int64_t out, int64_t stride) {
  auto body = std::make_shared<Chain>();
  body->Append(std::make_shared<BatchNorm>(in));
  body->Append(std::make_shared<Conv2d>(Conv3x3(in, out)));
  body->Append(std::make_shared<PRelu>(out));
  body->Append(std::make_shared<Conv2d>(Conv3x3(out, out, stride)));
  body->Append(std::make_shared<BatchNorm>(out));
  body->Append(std::make_shared<ChannelGate>(out, kReduction));
  auto unit = std::make_shared<Residual>();
  unit->Append("res_layer", body);
  unit->SetShortcut("shortcut_layer", Shortcut(in, out, stride));
  return unit;
}

}  // namespace

std::shared_ptr<Backbone> MakeIrSe(const std::array<int, 4>& units, double dropout) {
  auto input = std::make_shared<Chain>();
  input->Append(std::make_shared<Conv2d>(Conv3x3(3, 64)));
  input->Append(std::make_shared<BatchNorm>(64));
  input->Append(std::make_shared<PRelu>(64));

  auto body = std::make_shared<Chain>();
  int64_t in = 64;
  int64_t out = 64;
  for (const int count : units) {
    body->Append(Unit(in, out, 2));
    for (int i = 1; i < count; ++i) body->Append(Unit(out, out, 1));
    in = out;
    out *= 2;
  }

  auto output = std::make_shared<Chain>();
  output->Append(std::make_shared<BatchNorm>(in));
  output->Append(std::make_shared<Dropout>(dropout));
  output->Append(std::make_shared<Flatten>());
  output->Append(std::make_shared<Linear>(in * kLastSide * kLastSide, kEmbeddingSize, true));
  output->Append(std::make_shared<BatchNorm>(kEmbeddingSize));

  auto net = std::make_shared<Backbone>();
  net->Append("input_layer", input);
  net->Append("body", body).MarkMap();
  net->Append("output_layer", output);
  return net;
}

}  // namespace facegate
