#include "trainer/ring/ring_network.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "face/network/architecture.h"

namespace facegate {
namespace {

network::Layer Block(std::string name, const network::ConvShape& shape) {
  network::Chain block;
  block.layers = {{"conv", network::Convolution{shape}},
                  {"bn", network::BatchNorm{.channels = shape.out}},
                  {"prelu", network::PRelu{shape.out}}};
  return {std::move(name), std::move(block)};
}

network::Description SmallNetwork() {
  constexpr int64_t kSide = 28;
  constexpr int64_t kLastSide = 4;
  constexpr int64_t kHidden = 64;
  constexpr int64_t kEmbeddingSize = 2;
  // The blocks lead from 28×28 to 4×4.
  return {.name = "ring",
          .input = {.channels = 1, .height = kSide, .width = kSide},
          .outputs = kEmbeddingSize,
          .layers = {Block("conv1", {.in = 1, .out = 16, .kernel = 5, .stride = 2, .padding = 2}),
                     Block("conv2", {.in = 16, .out = 32, .kernel = 3, .stride = 2, .padding = 1}),
                     Block("conv3", {.in = 32, .out = 64, .kernel = 3, .padding = 1}),
                     Block("conv4", {.in = 64, .out = 64, .kernel = 3, .stride = 2, .padding = 1}),
                     {"flatten", network::Flatten{}},
                     {"fc1", network::Linear{.in = 64 * kLastSide * kLastSide, .out = kHidden}},
                     {"bn1", network::BatchNorm{.channels = kHidden}},
                     {"prelu1", network::PRelu{kHidden}},
                     {"fc2", network::Linear{.in = kHidden, .out = kEmbeddingSize, .bias = true}}},
          .more = {}};
}

}  // namespace

const std::vector<std::string>& RingNetworkNames() {
  static const std::vector<std::string> names = {"small", "resnet-18-plane-2"};
  return names;
}

StatusOr<network::Description> DescribeRingNetwork(std::string_view name) {
  const std::vector<std::string>& names = RingNetworkNames();
  if (name == names[0]) return SmallNetwork();
  if (name == names[1]) return DescribeArchitecture(name);
  return InvalidArgument(fmt::format("there is no network \"{}\" for digits, only {}", name,
                                     fmt::join(names, " and ")));
}

}  // namespace facegate
