#include <gmock/gmock.h>
#include <torch/utils.h>

#include <string>
#include <utility>
#include <vector>

#include "face/network/inference_plan.h"
#include "face/network/output_shape.h"
#include "face/network/random_weights.h"
#include "face/torch/backbone.h"
#include "face/torch/frozen_network.h"
#include "face/torch/onednn_fit.h"
#include "face/torch/plan_network.h"
#include "face/torch/tensor_conversion.h"
#include "face/torch/window_operations.h"
#include "tests/support/small_graph.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<Backbone> SmallBackbone() {
  auto backbone = CreateBackbone(SmallGraph()).value();
  EXPECT_THAT(LoadWeights(RandomWeights(SmallGraph(), 3), *backbone), IsOk());
  backbone->eval();
  return backbone;
}

torch::Tensor Pictures() {
  torch::manual_seed(5);
  return torch::randn({3, 2, 6, 8});
}

TEST(GraphTest, AFrozenOneGivesTheSame) {
  const torch::NoGradGuard no_grad;
  auto backbone = SmallBackbone();
  const torch::Tensor expected = backbone->forward(Pictures());
  EXPECT_THAT(expected.sizes(), ElementsAre(3, 5));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto frozen, FrozenNetwork::Create(*backbone, torch::kCPU));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor actual, frozen->Run(Pictures(), 1));
  EXPECT_TRUE(torch::allclose(actual, expected, 1e-4, 1e-5));
}

TEST(GraphTest, OnlyWholeSixteensOfChannelsAreClampedInOneDnnsLayouts) {
  const auto fits = [](int64_t channels, network::LayerKind kind) {
    network::Graph graph;
    graph.layers = {{"layer", std::move(kind)}};
    graph.calls = {{size_t{0}, {0}}};
    return FitsOneDnn({.name = "",
                       .input = {.channels = channels, .height = 4, .width = 4},
                       .outputs = 0,
                       .layers = {{"graph", std::move(graph)}},
                       .more = {}});
  };
  EXPECT_TRUE(fits(32, network::Clip{0, 6}));
  EXPECT_FALSE(fits(24, network::Clip{0, 6}));
  EXPECT_FALSE(fits(8, network::Sigmoid{}));
  EXPECT_TRUE(fits(8, network::Relu{}));
  EXPECT_FALSE(FitsOneDnn(SmallGraph()));
}

TEST(GraphTest, APlannedOneGivesTheSame) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor expected = SmallBackbone()->forward(Pictures());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const network::InferencePlan plan,
      network::PlanInference(SmallGraph(), RandomWeights(SmallGraph(), 3)));
  const PlanNetwork planned(plan, torch::kCPU, torch::kFloat, PlainMapKernels());
  torch::Tensor padded = torch::zeros({3, PlanNetwork::kInputChannels, 6, 8});
  padded.narrow(1, 0, 2).copy_(Pictures());
  EXPECT_TRUE(torch::allclose(planned.Forward(padded), expected, 1e-4, 1e-5));
}

// The kernels of a card change maps in place.
class InPlaceKernels : public MapKernels {
 public:
  torch::Tensor Finish(torch::Tensor& map, const torch::Tensor& added,
                       const FinishTensors& finish) const override {
    torch::Tensor changed = map;
    torch::Tensor second = PlainMapKernels().Finish(changed, added, finish);
    map.copy_(changed);
    return second;
  }
  torch::Tensor Depthwise(const torch::Tensor& input, const network::ConvShape& shape,
                          const torch::Tensor& weight, const FinishTensors& finish) const override {
    return PlainMapKernels().Depthwise(input, shape, weight, finish);
  }
};

// Says whether a plan of the network gives what its layers give, on pictures of 2·5·6.
bool PlanGivesTheSame(std::vector<network::Layer> layers, int64_t outputs) {
  const torch::NoGradGuard no_grad;
  const network::Description description{.name = "planned",
                                         .input = {.channels = 2, .height = 5, .width = 6},
                                         .outputs = outputs,
                                         .layers = std::move(layers),
                                         .more = {}};
  const TensorMap weights = RandomWeights(description, 3);
  const auto backbone = CreateBackbone(description).value();
  EXPECT_THAT(LoadWeights(weights, *backbone), IsOk());
  backbone->eval();
  const auto plan = network::PlanInference(description, weights).value();
  const InPlaceKernels kernels;
  const PlanNetwork planned(plan, torch::kCPU, torch::kFloat, kernels);
  torch::manual_seed(1);
  torch::Tensor pictures = torch::zeros({2, PlanNetwork::kInputChannels, 5, 6});
  pictures.narrow(1, 0, 2).copy_(torch::randn({2, 2, 5, 6}));
  const torch::Tensor expected = backbone->forward(pictures.narrow(1, 0, 2)).flatten(1);
  return torch::allclose(planned.Forward(pictures), expected, 1e-4, 1e-5);
}

TEST(GraphTest, ABorderOfNothingIsAnotherValue) {
  network::Graph graph{.layers = {{"conv", network::Convolution{{.in = 2, .out = 3}}},
                                  {"pad", network::Pad{}},
                                  {"relu", network::Relu{}},
                                  {"flat", network::Flatten{}}},
                       .calls = {{size_t{0}, {0}},
                                 {size_t{1}, {1}},
                                 {size_t{2}, {2}},
                                 {network::Join::kSubtract, {3, 1}},
                                 {size_t{3}, {4}}}};
  EXPECT_TRUE(PlanGivesTheSame({{"graph", std::move(graph)}}, 90));
}

TEST(GraphTest, TheResultIsKeptWhereAStepReadsIt) {
  network::Graph graph{.layers = {{"flat", network::Flatten{}},
                                  {"sigmoid", network::Sigmoid{}},
                                  {"drop", network::Dropout{}}},
                       .calls = {{size_t{0}, {0}}, {size_t{1}, {1}}, {size_t{2}, {1}}}};
  EXPECT_TRUE(PlanGivesTheSame({{"graph", std::move(graph)}}, 60));
}

TEST(GraphTest, AResidualOfAFlattenedMapIsAddedAsAList) {
  EXPECT_TRUE(PlanGivesTheSame(
      {{"flat", network::Flatten{}},
       {"residual", network::Residual{.layers = {{"fc", network::Linear{.in = 60, .out = 60}}},
                                      .shortcut = {}}}},
      60));
}

// A norm, a flattening and what may follow it, in a chain and as a graph.
TEST(GraphTest, ANormBeforeAFlatteningIsOfTheMap) {
  const torch::NoGradGuard no_grad;
  const std::vector<std::vector<network::LayerKind>> tails = {
      {network::Relu{}},
      {network::BatchNorm{.channels = 48}},
      {network::BatchNorm{.channels = 48}, network::Linear{.in = 48, .out = 3}},
      {network::Sigmoid{}, network::BatchNorm{.channels = 48}}};
  for (const auto& tail : tails) {
    std::vector<network::LayerKind> kinds = {
        network::Convolution{{.in = 2, .out = 4, .kernel = 3, .stride = 2}}, network::Relu{},
        network::BatchNorm{.channels = 4}, network::Flatten{}};
    kinds.insert(kinds.end(), tail.begin(), tail.end());
    network::Description chain{.name = "chain",
                               .input = {.channels = 2, .height = 7, .width = 9},
                               .outputs = 48,
                               .layers = {{"layers", network::Sequence(kinds)}},
                               .more = {}};
    network::Graph calls;
    calls.layers = network::Sequence(kinds).layers;
    for (size_t i = 0; i < kinds.size(); ++i) calls.calls.push_back({i, {i}});
    network::Description graph = chain;
    graph.layers = {{"layers", std::move(calls)}};
    torch::manual_seed(1);
    const torch::Tensor pictures = torch::randn({2, PlanNetwork::kInputChannels, 7, 9});
    for (const network::Description& one : {chain, graph}) {
      const TensorMap weights = RandomWeights(one, 3);
      const auto backbone = CreateBackbone(one).value();
      ASSERT_THAT(LoadWeights(weights, *backbone), IsOk());
      backbone->eval();
      FACEGATE_ASSERT_OK_AND_ASSIGN(const network::InferencePlan plan,
                                    network::PlanInference(one, weights));
      const PlanNetwork planned(plan, torch::kCPU, torch::kFloat, PlainMapKernels());
      torch::Tensor padded = pictures.clone();
      padded.narrow(1, 2, PlanNetwork::kInputChannels - 2).zero_();
      EXPECT_TRUE(torch::allclose(planned.Forward(padded),
                                  backbone->forward(pictures.narrow(1, 0, 2)), 1e-4, 1e-5));
    }
  }
}

TEST(GraphTest, NamesWithDotsBecomeGroups) {
  std::vector<std::string> names;
  for (const auto& item : SmallBackbone()->named_parameters()) names.push_back(item.key());
  EXPECT_THAT(names, testing::Contains("graph.stem.conv.weight"));
  EXPECT_THAT(names, testing::Contains("graph.block.prelu.weight"));
}

TEST(WindowOperationsTest, PaddingIsNeverTheLargest) {
  const torch::Tensor map = torch::full({1, 1, 2, 2}, -3.0);
  const network::Window window{
      .kernel = {2, 2}, .stride = {1, 1}, .dilation = {}, .padding = {0, 0, 1, 1}};
  EXPECT_TRUE(torch::equal(MaxUnderWindow(map, window), map));
}

TEST(WindowOperationsTest, AMeanMayLeaveOutThePadding) {
  const torch::Tensor map = torch::full({1, 1, 2, 2}, 4.0);
  const network::Window window{
      .kernel = {2, 2}, .stride = {1, 1}, .dilation = {}, .padding = {0, 0, 1, 1}};
  network::AveragePool pool{.window = window, .count_padding = false};
  EXPECT_TRUE(torch::equal(AverageUnderWindow(map, pool), map));
  pool.count_padding = true;
  EXPECT_EQ(AverageUnderWindow(map, pool)[0][0][1][1].item<float>(), 1.0F);
}

}  // namespace
}  // namespace facegate
