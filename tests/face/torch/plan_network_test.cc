#include "face/torch/plan_network.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "face/network/architecture.h"
#include "face/network/random_weights.h"
#include "face/torch/backbone.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// Pictures as backbones take them.
torch::Tensor Pictures(int64_t count) {
  return torch::linspace(-1.0, 1.0, count * 3 * 112 * 112)
      .mul(37.0)
      .sin()
      .view({count, 3, 112, 112});
}

// The same as a plan takes them.
torch::Tensor Padded(const torch::Tensor& pictures) {
  return torch::constant_pad_nd(pictures, {0, 0, 0, 0, 0, PlanNetwork::kInputChannels - 3})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

double LeastCosine(const torch::Tensor& a, const torch::Tensor& b) {
  return torch::cosine_similarity(a.to(torch::kDouble), b.to(torch::kDouble), 1)
      .min()
      .item<double>();
}

class PlanNetworkTest : public ::testing::TestWithParam<std::string> {
 protected:
  PlanNetworkTest() {
    const TensorMap weights = RandomWeights(GetParam(), 7).value();
    backbone_ = CreateBackbone(GetParam()).value();
    EXPECT_THAT(LoadWeights(weights, *backbone_), IsOk());
    backbone_->eval();
    plan_ = network::PlanInference(DescribeArchitecture(GetParam()).value(), weights).value();
  }
  torch::Tensor Run(torch::ScalarType type, const torch::Tensor& pictures) const {
    const PlanNetwork network(plan_, torch::kCPU, type, PlainMapKernels());
    return network.Forward(Padded(pictures).to(type)).to(torch::kFloat);
  }

  const torch::NoGradGuard no_grad_;
  std::shared_ptr<Backbone> backbone_;
  network::InferencePlan plan_;
};

TEST_P(PlanNetworkTest, GivesWhatTheBackboneGives) {
  const torch::Tensor expected = backbone_->forward(Pictures(3));
  const torch::Tensor actual = Run(torch::kFloat, Pictures(3));
  ASSERT_EQ(actual.sizes(), expected.sizes());
  const float scale = expected.abs().max().item<float>();
  EXPECT_LT((actual - expected).abs().max().item<float>(), 2e-5f * scale);
}

TEST_P(PlanNetworkTest, StaysNearInBfloat16) {
  const torch::Tensor expected = backbone_->forward(Pictures(1));
  EXPECT_GT(LeastCosine(expected, Run(torch::kBFloat16, Pictures(1))), 0.998);
}

INSTANTIATE_TEST_SUITE_P(All, PlanNetworkTest,
                         ::testing::Values("mobilefacenet-128", "mobilefacenet-512", "iresnet-18",
                                           "irse-50", "ghostfacenet-v1-s1", "ghostfacenet-v1-s2"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace facegate
