#include "face/network/irse.h"

#include <utility>

namespace facegate::network {
namespace {

constexpr int64_t kEmbeddingSize = 512;
constexpr int64_t kReduction = 16;                     // of the channel gates
constexpr int64_t kLastSide = kCropInput.height / 16;  // pixels; each stage halves

Convolution Conv3x3(int64_t in, int64_t out, int64_t stride = 1) {
  return {{.in = in, .out = out, .kernel = 3, .stride = stride, .padding = 1}};
}

LayerKind Shortcut(int64_t in, int64_t out, int64_t stride) {
  if (in == out) return Subsample{stride};
  const Convolution resize{{.in = in, .out = out, .stride = stride}};
  return Sequence({resize, BatchNorm{out}});
}

Residual Unit(int64_t in, int64_t out, int64_t stride) {
  const Chain body =
      Sequence({BatchNorm{in}, Conv3x3(in, out), PRelu{out}, Conv3x3(out, out, stride),
                BatchNorm{out}, ChannelGate{.channels = out, .reduction = kReduction}});
  return {.layers = {{"res_layer", body}},
          .shortcut = {{"shortcut_layer", Shortcut(in, out, stride)}}};
}

}  // namespace

Description IrSe(const std::array<int, 4>& units, double dropout) {
  std::vector<LayerKind> body;
  int64_t in = 64;
  int64_t out = 64;
  for (const int count : units) {
    body.emplace_back(Unit(in, out, 2));
    for (int i = 1; i < count; ++i) body.emplace_back(Unit(out, out, 1));
    in = out;
    out *= 2;
  }
  const Chain input = Sequence({Conv3x3(3, 64), BatchNorm{64}, PRelu{64}});
  const Chain output = Sequence({BatchNorm{in}, Dropout{dropout}, Flatten{},
                                 Linear{in * kLastSide * kLastSide, kEmbeddingSize, true},
                                 BatchNorm{kEmbeddingSize}});
  return {.name = {},
          .input = kCropInput,
          .outputs = kEmbeddingSize,
          .layers = {{"input_layer", input},
                     {"body", Sequence(std::move(body)), true},
                     {"output_layer", output}},
          .more = {}};
}

}  // namespace facegate::network
