#include "trainer/learn/initial_weights.h"

#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <memory>
#include <string>

#include "face/torch/backbone.h"
#include "tests/support/small_transformer.h"

namespace facegate {
namespace {

std::shared_ptr<Backbone> Initial(uint64_t seed) {
  auto backbone = CreateBackbone(TinyVit()).value();
  SetInitialWeights(*backbone, seed);
  return backbone;
}

TEST(InitialWeightsTest, TransformersBeginAsTheirOriginals) {
  const torch::NoGradGuard no_grad;
  const auto backbone = Initial(3);
  const auto values = backbone->named_parameters();
  for (const std::string name :
       {"blocks.0.attn.qkv.weight", "blocks.1.mlp.fc2.weight", "feature.0.weight", "pos_embed"}) {
    EXPECT_NEAR(values[name].std().item<double>(), 0.02, 0.002) << name;
    EXPECT_NEAR(values[name].mean().item<double>(), 0.0, 0.003) << name;
  }
  const double width = 1.0 / std::sqrt(3.0 * 4 * 4);
  for (const std::string name : {"patch_embed.proj.weight", "patch_embed.proj.bias"}) {
    EXPECT_LE(values[name].abs().max().item<double>(), width) << name;
    EXPECT_GT(values[name].abs().max().item<double>(), 0.8 * width) << name;
  }
  EXPECT_TRUE((values["blocks.0.norm1.weight"] == 1).all().item<bool>());
  EXPECT_TRUE((values["feature.1.weight"] == 1).all().item<bool>());
  EXPECT_TRUE((values["blocks.0.mlp.fc1.bias"] == 0).all().item<bool>());
  EXPECT_GT(values["mask_token"].abs().min().item<double>(), 0.0);
  EXPECT_TRUE(torch::equal(values["pos_embed"], Initial(3)->named_parameters()["pos_embed"]));
}

TEST(InitialWeightsTest, ATransformerLearnsFromThem) {
  const auto backbone = Initial(5);
  backbone->train();
  torch::manual_seed(1);
  const torch::Tensor crops = torch::randn(backbone->InputShape(16));
  const torch::Tensor wanted = torch::randn({16, 8});
  const auto step = [&] {
    const torch::Tensor loss = (backbone->forward(crops) - wanted).square().mean();
    for (torch::Tensor& value : backbone->parameters()) value.mutable_grad().reset();
    loss.backward();
    const torch::NoGradGuard no_grad;
    for (torch::Tensor& value : backbone->parameters()) value.sub_(value.grad(), 0.1);
    return loss.item<double>();
  };
  const double first = step();
  double last = first;
  for (int i = 0; i < 40; ++i) last = step();
  EXPECT_LT(last, 0.5 * first);
}

}  // namespace
}  // namespace facegate
