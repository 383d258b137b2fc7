#include "face/network/output_shape.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>
#include <utility>
#include <variant>

#include "face/weights/weights.h"

namespace facegate::network {
namespace {

Status Refused(const char* layer, const Extents& input) {
  return InvalidArgument(
      fmt::format("a {} does not take an input of the shape {}", layer, ShapeText(input)));
}

StatusOr<Extents> Follow(const std::vector<Layer>& layers, Extents value) {
  for (const Layer& layer : layers) {
    FACEGATE_ASSIGN_OR_RETURN(value, OutputOf(layer.kind, value));
  }
  return value;
}

struct Output {
  StatusOr<Extents> operator()(const Convolution& layer) const {
    const auto& [in, out, kernel, stride, padding, groups] = layer.shape;
    if (input.size() != 3 || input[0] != in) return Refused("convolution", input);
    Extents output = {out};
    for (const int64_t side : {input[1], input[2]}) {
      const int64_t places = side + 2 * padding - kernel;
      if (places < 0) return Refused("convolution", input);
      output.push_back(places / stride + 1);
    }
    return output;
  }
  StatusOr<Extents> operator()(const Linear& layer) const {
    if (input != Extents{layer.in}) return Refused("linear layer", input);
    return Extents{layer.out};
  }
  StatusOr<Extents> operator()(const Flatten& /*layer*/) const {
    return Extents{std::accumulate(input.begin(), input.end(), int64_t{1}, std::multiplies<>())};
  }
  StatusOr<Extents> operator()(const Subsample& layer) const {
    if (input.size() != 3) return Refused("subsampling", input);
    return Extents{input[0], (input[1] - 1) / layer.stride + 1, (input[2] - 1) / layer.stride + 1};
  }
  StatusOr<Extents> operator()(const Chain& chain) const { return Follow(chain.layers, input); }
  StatusOr<Extents> operator()(const Residual& residual) const {
    FACEGATE_ASSIGN_OR_RETURN(Extents output, Follow(residual.layers, input));
    FACEGATE_ASSIGN_OR_RETURN(const Extents added, Follow(residual.shortcut, input));
    if (output != added) return Refused("residual", input);
    return output;
  }
  StatusOr<Extents> operator()(const BatchNorm& layer) const {
    return Same("batch norm", layer.channels);
  }
  StatusOr<Extents> operator()(const PRelu& layer) const { return Same("PReLU", layer.channels); }
  StatusOr<Extents> operator()(const ChannelGate& layer) const {
    return Same("channel gate", layer.channels);
  }
  StatusOr<Extents> operator()(const Relu& /*layer*/) const { return input; }
  StatusOr<Extents> operator()(const Dropout& /*layer*/) const { return input; }

  StatusOr<Extents> Same(const char* layer, int64_t channels) const {
    if (input.empty() || input[0] != channels) return Refused(layer, input);
    return input;
  }

  const Extents& input;
};

}  // namespace

StatusOr<Extents> OutputOf(const LayerKind& layer, const Extents& input) {
  return std::visit(Output{input}, layer);
}

}  // namespace facegate::network
