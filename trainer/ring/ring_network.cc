#include "trainer/ring/ring_network.h"

#include <string>

namespace facegate {
namespace {

void AppendBlock(Chain& net, const std::string& name, const ConvShape& shape) {
  auto block = std::make_shared<Chain>();
  block->Append("conv", std::make_shared<Conv2d>(shape));
  block->Append("bn", std::make_shared<BatchNorm>(shape.out));
  block->Append("prelu", std::make_shared<PRelu>(shape.out));
  net.Append(name, block);
}

}  // namespace

std::shared_ptr<RingNetwork> MakeRingNetwork() {
  auto net = std::make_shared<RingNetwork>();
  // The blocks lead from 28×28 to 4×4.
  AppendBlock(*net, "conv1", {.in = 1, .out = 16, .kernel = 5, .stride = 2, .padding = 2});
  AppendBlock(*net, "conv2", {.in = 16, .out = 32, .kernel = 3, .stride = 2, .padding = 1});
  AppendBlock(*net, "conv3", {.in = 32, .out = 64, .kernel = 3, .padding = 1});
  AppendBlock(*net, "conv4", {.in = 64, .out = 64, .kernel = 3, .stride = 2, .padding = 1});
  constexpr int64_t kLastSide = 4;
  net->Append("flatten", std::make_shared<Flatten>());
  net->Append("fc1", std::make_shared<Linear>(64 * kLastSide * kLastSide, 64, false));
  net->Append("bn1", std::make_shared<BatchNorm>(64));
  net->Append("prelu1", std::make_shared<PRelu>(64));
  net->Append("fc2", std::make_shared<Linear>(64, RingNetwork::kEmbeddingSize, true));
  return net;
}

}  // namespace facegate
