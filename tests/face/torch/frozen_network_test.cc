#include "face/torch/frozen_network.h"

#include <gmock/gmock.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "face/network/random_weights.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSide = network::kCropInput.height;

torch::Tensor Pictures(int64_t count) {
  return torch::linspace(-40.0, 40.0, count * 3 * kSide * kSide)
      .sin_()
      .view({count, 3, kSide, kSide});
}

std::shared_ptr<Backbone> WithRandomWeights(const std::string& architecture) {
  auto backbone = CreateBackbone(architecture).value();
  EXPECT_THAT(LoadWeights(RandomWeights(architecture, 5).value(), *backbone), IsOk());
  backbone->eval();
  return backbone;
}

float RelativeDifference(const torch::Tensor& expected, const torch::Tensor& actual) {
  return ((expected - actual).abs().max() / expected.abs().max()).item<float>();
}

class FrozenNetworkTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FrozenNetworkTest, GivesTheBackbonesOutputForAnyBatch) {
  const torch::NoGradGuard no_grad;
  const auto backbone = WithRandomWeights(GetParam());
  const torch::Tensor pictures = Pictures(3);
  const torch::Tensor expected = backbone->forward(pictures);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto network, FrozenNetwork::Create(*backbone, torch::kCPU));
  // No batch has the size of the one before.
  for (const int64_t count : {3, 1, 2}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor actual,
                                  network->Run(pictures.narrow(0, 0, count), 1));
    EXPECT_LT(RelativeDifference(expected.narrow(0, 0, count), actual), 1e-5f) << count;
  }
}

TEST_P(FrozenNetworkTest, GivesTheBackbonesMaps) {
  const torch::NoGradGuard no_grad;
  const auto backbone = WithRandomWeights(GetParam());
  const torch::Tensor pictures = Pictures(2);
  std::vector<torch::Tensor> maps;
  const torch::Tensor embeddings = backbone->ForwardWithMaps(pictures, maps);
  EXPECT_TRUE(torch::equal(embeddings, backbone->forward(pictures)));
  ASSERT_FALSE(maps.empty());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto network,
                                FrozenNetwork::Create(*backbone, torch::kCPU, true));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto outputs, network->RunAll(pictures, 1));
  ASSERT_EQ(outputs.size(), maps.size() + 1);
  EXPECT_LT(RelativeDifference(embeddings, outputs[0]), 1e-5f);
  for (size_t i = 0; i < maps.size(); ++i) {
    ASSERT_EQ(outputs[i + 1].sizes(), maps[i].sizes());
    EXPECT_LT(RelativeDifference(maps[i], outputs[i + 1]), 5e-4f) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, FrozenNetworkTest,
                         ::testing::Values("mobilefacenet-128", "mobilefacenet-512", "iresnet-18",
                                           "irse-50", "ghostfacenet-v1-s1", "ghostfacenet-v1-s2"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(FrozenNetworkBorderTest, KeepsBatchNormBeforePaddedConvolution) {
  const torch::NoGradGuard no_grad;
  const auto backbone = WithRandomWeights("iresnet-18");
  // Folding this shift into the convolution would give the padding the shift instead of zero.
  for (auto& item : backbone->named_parameters()) {
    if (item.key().ends_with("bn1.bias")) item.value().fill_(3.0f);
  }
  const torch::Tensor expected = backbone->forward(Pictures(2));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto network, FrozenNetwork::Create(*backbone, torch::kCPU));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor actual, network->Run(Pictures(2), 1));
  EXPECT_LT(RelativeDifference(expected, actual), 1e-5f);
}

// What is left of a large bias after a norm has taken it away again is rounding, ten times as
// large. The norm that is folded into the convolution has no such rounding.
TEST(FrozenNetworkRoundingTest, TakesANetworkThatMakesMuchOfARounding) {
  const torch::NoGradGuard no_grad;
  constexpr float kBias = 1e4F;
  const auto backbone =
      CreateBackbone({.name = "rounding",
                      .input = {.channels = 1, .height = 16, .width = 16},
                      .outputs = 256,
                      .layers = {{"conv", network::Convolution{{.in = 1, .out = 1}, true}},
                                 {"norm", network::BatchNorm{.channels = 1}},
                                 {"flatten", network::Flatten{}}},
                      .more = {}})
          .value();
  backbone->named_parameters()["conv.weight"].fill_(1.0F);
  backbone->named_parameters()["conv.bias"].fill_(kBias);
  backbone->named_buffers()["norm.running_mean"].fill_(kBias);
  backbone->named_buffers()["norm.running_var"].fill_(0.01F);
  EXPECT_THAT(FrozenNetwork::Create(*backbone, torch::kCPU), IsOk());
}

TEST(FrozenNetworkThreadsTest, ConcurrentCallsGiveTheSameBits) {
  const auto backbone = WithRandomWeights("mobilefacenet-128");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto network, FrozenNetwork::Create(*backbone, torch::kCPU));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor expected, network->Run(Pictures(2), 1));
  std::vector<int> equal(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int& count : equal) {
      threads.emplace_back([&count, &network, &expected] {
        for (int i = 0; i < 5; ++i) {
          const auto actual = network->Run(Pictures(2), 1);
          if (actual.ok() && torch::equal(*actual, expected)) ++count;
        }
      });
    }
  }
  EXPECT_THAT(equal, ::testing::Each(5));
}

TEST(FrozenNetworkThreadsTest, UsesTheGivenThreadsInWhicheverThreadCalls) {
  const auto backbone = WithRandomWeights("mobilefacenet-128");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto network, FrozenNetwork::Create(*backbone, torch::kCPU));
  int used = 0;
  std::jthread([&] {
    if (network->Run(Pictures(1), 2).ok()) used = at::get_num_threads();
  }).join();
  EXPECT_EQ(used, 2);
}

TEST(FrozenNetworkErrorTest, RefusesNetworkWhoseOutputOverflows) {
  const auto backbone = WithRandomWeights("mobilefacenet-128");
  {
    const torch::NoGradGuard no_grad;
    backbone->named_parameters()["conv1.bn.weight"].fill_(std::numeric_limits<float>::max());
    backbone->named_parameters()["conv2_dw.bn.weight"].fill_(std::numeric_limits<float>::max());
  }
  const auto network = FrozenNetwork::Create(*backbone, torch::kCPU);
  EXPECT_THAT(network, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(network.status())), HasSubstr("not finite"));
}

TEST(FrozenNetworkErrorTest, ReportsInputOfAnotherShape) {
  const auto backbone = WithRandomWeights("mobilefacenet-128");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto network, FrozenNetwork::Create(*backbone, torch::kCPU));
  EXPECT_THAT(network->Run(torch::zeros({1, 4, kSide, kSide}), 1), StatusIs(StatusCode::kInternal));
}

TEST(FrozenNetworkErrorTest, RefusesZeroThreads) {
  const auto backbone = WithRandomWeights("mobilefacenet-128");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto network, FrozenNetwork::Create(*backbone, torch::kCPU));
  EXPECT_THAT(network->Run(Pictures(1), 0), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
