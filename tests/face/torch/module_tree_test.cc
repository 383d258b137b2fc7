#include "face/torch/module_tree.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

#include "face/network/architecture.h"
#include "face/network/grey_networks.h"
#include "face/network/tensor_list.h"
#include "face/torch/backbone.h"

namespace facegate {
namespace {

using NamedShape = std::pair<std::string, std::vector<int64_t>>;

std::vector<NamedShape> ShapesIn(const torch::OrderedDict<std::string, torch::Tensor>& tensors) {
  std::vector<NamedShape> shapes;
  for (const auto& item : tensors) shapes.emplace_back(item.key(), item.value().sizes().vec());
  return shapes;
}

std::vector<NamedShape> Described(const network::Description& description, bool parameters) {
  std::vector<NamedShape> shapes;
  for (const network::TensorShape& tensor : network::TensorsOf(description)) {
    if (tensor.parameter == parameters) shapes.emplace_back(tensor.name, tensor.shape);
  }
  return shapes;
}

void ExpectTensorsOf(const network::Description& description, const torch::nn::Module& module) {
  EXPECT_EQ(ShapesIn(module.named_parameters()), Described(description, true)) << description.name;
  EXPECT_EQ(ShapesIn(module.named_buffers()), Described(description, false)) << description.name;
}

TEST(ModuleTreeTest, HasTheTensorsOfEachBackboneInTheirOrder) {
  for (const std::string& name : ArchitectureNames()) {
    ExpectTensorsOf(DescribeArchitecture(name).value(), *CreateBackbone(name).value());
  }
}

TEST(ModuleTreeTest, HasTheTensorsOfTheSmallNetworksInTheirOrder) {
  for (network::Description small : {DescribeLandmarkNetwork(), DescribeQualityNetwork()}) {
    small.more.clear();
    Chain chain;
    AppendLayers(small.layers, chain);
    ExpectTensorsOf(small, chain);
  }
}

TEST(ModuleTreeTest, AddsTheBiasOfAConvolution) {
  Chain chain;
  AppendLayers({{"conv", network::Convolution{{.in = 1, .out = 2}, true}}}, chain);
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& tensor : chain.parameters()) tensor.fill_(3.0);
  const torch::Tensor output = chain.forward(torch::full({1, 1, 4, 4}, 2.0));
  EXPECT_TRUE(torch::equal(output, torch::full({1, 2, 4, 4}, 9.0)));
}

TEST(ModuleTreeTest, PassesTheInputThroughTheWholeShortcut) {
  Chain chain;
  AppendLayers({{"unit", network::Residual{.layers = {{"half", network::Subsample{4}}},
                                           .shortcut = {{"first", network::Subsample{2}},
                                                        {"second", network::Subsample{2}}}}}},
               chain);
  const torch::Tensor input = torch::arange(64.0).view({1, 1, 8, 8});
  EXPECT_EQ(chain.forward(input).sum().item<double>(), 2 * (0 + 4 + 32 + 36));
}

}  // namespace
}  // namespace facegate
