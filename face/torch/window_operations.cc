#include "face/torch/window_operations.h"

#include <torch/utils.h>

#include <cmath>
#include <limits>

namespace facegate {
namespace {

using network::Borders;
using network::Join;
using network::Sides;
using network::Window;

std::vector<int64_t> ListOf(const Sides& sides) { return {sides.height, sides.width}; }

// LibTorch pads opposite sides alike.
bool IsEven(const Borders& borders) {
  return borders.top == borders.bottom && borders.left == borders.right;
}

// Pools take borders of up to half a kernel.
bool FitsPool(const Window& window) {
  return IsEven(window.padding) && 2 * window.padding.top <= window.kernel.height &&
         2 * window.padding.left <= window.kernel.width;
}

}  // namespace

torch::Tensor OverChannels(const torch::Tensor& channels, const torch::Tensor& map) {
  return map.dim() == 4 ? channels.view({1, -1, 1, 1}) : channels;
}

torch::Tensor PadTensor(const torch::Tensor& map, const Borders& borders, double value) {
  if (borders == Borders{}) return map;
  return torch::constant_pad_nd(map, {borders.left, borders.right, borders.top, borders.bottom},
                                value);
}

torch::Tensor ConvolveWindow(const torch::Tensor& map, const Window& window, int64_t groups,
                             const torch::Tensor& weight, const torch::Tensor& bias) {
  const bool even = IsEven(window.padding);
  const std::vector<int64_t> padding = {even ? window.padding.top : 0,
                                        even ? window.padding.left : 0};
  return torch::conv2d(even ? map : PadTensor(map, window.padding, 0.0), weight, bias,
                       ListOf(window.stride), padding, ListOf(window.dilation), groups);
}

torch::Tensor MaxUnderWindow(const torch::Tensor& map, const Window& window) {
  const bool fits = FitsPool(window);
  const std::vector<int64_t> padding = {fits ? window.padding.top : 0,
                                        fits ? window.padding.left : 0};
  constexpr double kLowest = -std::numeric_limits<double>::infinity();
  return torch::max_pool2d(fits ? map : PadTensor(map, window.padding, kLowest),
                           ListOf(window.kernel), ListOf(window.stride), padding,
                           ListOf(window.dilation));
}

torch::Tensor AverageUnderWindow(const torch::Tensor& map, const network::AveragePool& layer) {
  const Window& window = layer.window;
  const auto average = [&](const torch::Tensor& of, const std::vector<int64_t>& padding) {
    return torch::avg_pool2d(of, ListOf(window.kernel), ListOf(window.stride), padding,
                             /*ceil_mode=*/false, layer.count_padding);
  };
  if (FitsPool(window)) return average(map, {window.padding.top, window.padding.left});
  const torch::Tensor sums = average(PadTensor(map, window.padding, 0.0), {0, 0});
  if (layer.count_padding) return sums;
  // The share of each window that lies on the map.
  return sums / average(PadTensor(torch::ones_like(map), window.padding, 0.0), {0, 0});
}

torch::Tensor MapToTokens(const torch::Tensor& map) {
  return map.flatten(2).transpose(1, 2).contiguous();
}

torch::Tensor AttendTokens(const torch::Tensor& qkv, int64_t heads) {
  const int64_t tokens = qkv.size(1);
  const int64_t channels = qkv.size(2) / 3;
  const int64_t of_head = channels / heads;
  // 3·N·heads·T·(numbers of a head). Pictures are as many as there are, in a trace too.
  const torch::Tensor parts = qkv.view({-1, tokens, 3, heads, of_head}).permute({2, 0, 3, 1, 4});
  // Scaled first, they are fewer numbers than the products, which stay small in halves too.
  const torch::Tensor queries = parts[0].mul(1.0 / std::sqrt(static_cast<double>(of_head)));
  const torch::Tensor likeness = torch::matmul(queries, parts[1].transpose(2, 3));
  return torch::matmul(torch::softmax(likeness, 3), parts[2])
      .transpose(1, 2)
      .reshape({-1, tokens, channels});
}

torch::Tensor JoinTensors(Join join, const std::vector<torch::Tensor>& values) {
  if (join == Join::kConcat) return torch::cat(values, 1);
  const torch::Tensor& one = values[0];
  // A list meets the channels of a map.
  const torch::Tensor other =
      one.dim() == 4 && values[1].dim() == 2 ? values[1].unsqueeze(2).unsqueeze(3) : values[1];
  switch (join) {
    case Join::kAdd:
      return one + other;
    case Join::kSubtract:
      return one - other;
    case Join::kMultiply:
      return one * other;
    case Join::kDivide:
    case Join::kConcat:
      break;
  }
  return one / other;
}

}  // namespace facegate
