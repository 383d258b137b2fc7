#include "face/network/grey_networks.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace facegate {
namespace {

struct GreyConvolution {
  int64_t outputs = 0;  // channels; it takes those of the convolution before it
  int64_t stride = 1;
};

struct GreyShape {
  int64_t side = 0;  // pixels of the crop
  std::vector<GreyConvolution> convolutions;
  int64_t hidden = 0;  // numbers between the connected layers
  int64_t outputs = 0;
};

network::Description Describe(std::string name, const GreyShape& shape) {
  network::Description description{
      .name = std::move(name),
      .input = {.channels = 1, .height = shape.side, .width = shape.side},
      .outputs = shape.outputs,
      .layers = {},
      .more = {}};
  const auto add = [&](std::string layer, network::LayerKind kind) {
    description.layers.push_back({std::move(layer), std::move(kind)});
  };
  int64_t channels = 1;
  int64_t side = shape.side;
  int number = 0;
  for (const auto& [outputs, stride] : shape.convolutions) {
    ++number;
    const network::ConvShape conv{
        .in = channels, .out = outputs, .kernel = 3, .stride = stride, .padding = 1};
    add(fmt::format("convolution{}", number), network::Convolution{conv, true});
    add(fmt::format("relu{}", number), network::Relu{});
    channels = outputs;
    side /= stride;
  }
  add("flatten", network::Flatten{});
  add("hidden", network::Linear{channels * side * side, shape.hidden, true});
  add("hidden_relu", network::Relu{});
  add("output", network::Linear{shape.hidden, shape.outputs, true});
  return description;
}

}  // namespace

network::Description DescribeLandmarkNetwork() {
  network::Description description = Describe(
      "landmark network", {.side = kLandmarkCropSide,
                           .convolutions = {{16, 2}, {16}, {32, 2}, {32}, {64, 2}, {64}, {48, 2}},
                           .hidden = 64,
                           .outputs = kLandmarkOutputs});
  description.more = {{kBoxToFrame, {3}}};
  return description;
}

network::Description DescribeQualityNetwork() {
  return Describe("quality network",
                  {.side = kQualityCropSide,
                   .convolutions = {{12, 2}, {16, 2}, {32, 2}, {32}, {48, 2}, {48}},
                   .hidden = 40,
                   .outputs = kQualityOutputs});
}

}  // namespace facegate
