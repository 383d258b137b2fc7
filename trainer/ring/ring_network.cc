#include "trainer/ring/ring_network.h"

#include <string>
#include <utility>

#include "face/torch/module_tree.h"

namespace facegate {
namespace {

network::Layer Block(std::string name, const network::ConvShape& shape) {
  network::Chain block;
  block.layers = {{"conv", network::Convolution{shape}},
                  {"bn", network::BatchNorm{.channels = shape.out}},
                  {"prelu", network::PRelu{shape.out}}};
  return {std::move(name), std::move(block)};
}

}  // namespace

network::Description DescribeRingNetwork() {
  constexpr int64_t kLastSide = 4;
  constexpr int64_t kHidden = 64;
  // The blocks lead from 28×28 to 4×4.
  return {
      .name = "ring",
      .input = {.channels = 1, .height = RingNetwork::kInputSide, .width = RingNetwork::kInputSide},
      .outputs = RingNetwork::kEmbeddingSize,
      .layers = {Block("conv1", {.in = 1, .out = 16, .kernel = 5, .stride = 2, .padding = 2}),
                 Block("conv2", {.in = 16, .out = 32, .kernel = 3, .stride = 2, .padding = 1}),
                 Block("conv3", {.in = 32, .out = 64, .kernel = 3, .padding = 1}),
                 Block("conv4", {.in = 64, .out = 64, .kernel = 3, .stride = 2, .padding = 1}),
                 {"flatten", network::Flatten{}},
                 {"fc1", network::Linear{.in = 64 * kLastSide * kLastSide, .out = kHidden}},
                 {"bn1", network::BatchNorm{.channels = kHidden}},
                 {"prelu1", network::PRelu{kHidden}},
                 {"fc2",
                  network::Linear{
                      .in = kHidden, .out = RingNetwork::kEmbeddingSize, .bias = true}}},
      .more = {}};
}

std::shared_ptr<RingNetwork> MakeRingNetwork() {
  auto net = std::make_shared<RingNetwork>();
  AppendLayers(DescribeRingNetwork().layers, *net);
  return net;
}

}  // namespace facegate
