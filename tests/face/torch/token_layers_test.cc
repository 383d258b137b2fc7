#include "face/torch/token_layers.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "face/network/inference_plan.h"
#include "face/network/random_weights.h"
#include "face/network/tensor_list.h"
#include "face/torch/backbone.h"
#include "face/torch/frozen_network.h"
#include "face/torch/module_tree.h"
#include "face/torch/plan_network.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/small_transformer.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<Backbone> With(const network::Description& description) {
  auto backbone = CreateBackbone(description).value();
  EXPECT_THAT(LoadWeights(RandomWeights(description, 3), *backbone), IsOk());
  backbone->eval();
  return backbone;
}

torch::Tensor Pictures(const Backbone& backbone, int64_t count) {
  torch::manual_seed(5);
  return torch::randn(backbone.InputShape(count));
}

// A module whose parameters are drawn.
std::shared_ptr<Chain> Drawn(const std::vector<network::Layer>& layers) {
  auto chain = std::make_shared<Chain>();
  AppendLayers(layers, *chain);
  const torch::NoGradGuard no_grad;
  torch::manual_seed(7);
  for (torch::Tensor& parameter : chain->parameters()) parameter.normal_();
  return chain;
}

TEST(PixelShuffleTest, LaysChannelsOutRowByRow) {
  const torch::Tensor map = torch::arange(2 * 8 * 3 * 2).view({2, 8, 3, 2});
  const torch::Tensor wide = PixelShuffle(2).forward(map);
  ASSERT_THAT(wide.sizes(), ElementsAre(2, 2, 6, 4));
  for (int64_t c = 0; c < 2; ++c) {
    for (int64_t y = 0; y < 6; ++y) {
      for (int64_t x = 0; x < 4; ++x) {
        const torch::Tensor expected = map[1][c * 4 + y % 2 * 2 + x % 2][y / 2][x / 2];
        EXPECT_EQ(wide[1][c][y][x].item<int64_t>(), expected.item<int64_t>());
      }
    }
  }
}

TEST(TokensTest, AreThePlacesOfAMapRowByRow) {
  const torch::Tensor map = torch::arange(2 * 3 * 2 * 4).view({2, 3, 2, 4});
  const torch::Tensor tokens = Tokens().forward(map);
  ASSERT_THAT(tokens.sizes(), ElementsAre(2, 8, 3));
  EXPECT_EQ(tokens[1][6][2].item<int64_t>(), map[1][2][1][2].item<int64_t>());
}

TEST(PositionEmbeddingTest, IsAParameterOfItsParent) {
  const network::PositionEmbedding layer{.count = 4, .channels = 2};
  const auto chain = Drawn({{"pos_embed", layer}});
  ASSERT_EQ(chain->named_parameters().keys(), std::vector<std::string>{"pos_embed"});
  chain->to(torch::kDouble);
  const torch::Tensor tokens = torch::ones({3, 4, 2}, torch::kDouble);
  const torch::Tensor expected = tokens + chain->named_parameters()["pos_embed"];
  EXPECT_TRUE(torch::equal(chain->forward(tokens), expected));
}

TEST(LayerNormTest, NormalisesEachTokenByItself) {
  const auto chain = Drawn({{"norm", network::LayerNorm{.channels = 3, .epsilon = 0.5}}});
  const auto values = chain->named_parameters();
  const torch::Tensor tokens = torch::randn({2, 4, 3});
  const torch::Tensor actual = chain->forward(tokens);
  for (int64_t c = 0; c < 3; ++c) {
    const torch::Tensor token = tokens[1][2].to(torch::kDouble);
    const double mean = token.mean().item<double>();
    const double variance = (token - mean).square().mean().item<double>();
    const double normal = (token[c].item<double>() - mean) / std::sqrt(variance + 0.5);
    EXPECT_NEAR(
        actual[1][2][c].item<double>(),
        normal * values["norm.weight"][c].item<double>() + values["norm.bias"][c].item<double>(),
        1e-5);
  }
}

// One number of what one head gives for a token, in plain sums.
double OfHead(const torch::Tensor& qkv, int64_t token, int64_t head, int64_t place,
              int64_t of_head) {
  const int64_t channels = qkv.size(1) / 3;
  const auto at = [&](int64_t row, int64_t part, int64_t c) {
    return qkv[row][part * channels + head * of_head + c].item<double>();
  };
  double sum = 0.0;
  double total = 0.0;
  for (int64_t other = 0; other < qkv.size(0); ++other) {
    double likeness = 0.0;
    for (int64_t c = 0; c < of_head; ++c) likeness += at(token, 0, c) * at(other, 1, c);
    const double share = std::exp(likeness / std::sqrt(static_cast<double>(of_head)));
    sum += share;
    total += share * at(other, 2, place);
  }
  return total / sum;
}

TEST(SelfAttentionTest, GivesWhatItsSumsGive) {
  const network::SelfAttention layer{.channels = 6, .heads = 2, .bias = true};
  const auto chain = Drawn({{"attn", layer}});
  chain->to(torch::kDouble);
  const auto values = chain->named_parameters();
  const torch::Tensor tokens = torch::randn({2, 5, 6}, torch::kDouble);
  const torch::Tensor actual = chain->forward(tokens);
  const torch::Tensor qkv =
      torch::mm(tokens[1], values["attn.qkv.weight"].t()) + values["attn.qkv.bias"];
  torch::Tensor heads = torch::zeros({6}, torch::kDouble);
  for (int64_t c = 0; c < 6; ++c) heads[c] = OfHead(qkv, 3, c / 3, c % 3, 3);
  const torch::Tensor expected =
      torch::mv(values["attn.proj.weight"], heads) + values["attn.proj.bias"];
  EXPECT_TRUE(torch::allclose(actual[1][3], expected, 1e-9, 1e-9));
}

TEST(DropPathTest, LeavesOutWholePicturesInTrainingAlone) {
  DropPath layer(0.5);
  torch::manual_seed(1);
  const torch::Tensor rows = layer.forward(torch::ones({64, 3, 2})).flatten(1);
  const torch::Tensor first = rows.narrow(1, 0, 1);
  EXPECT_TRUE(torch::equal(rows, first.expand_as(rows)));
  EXPECT_TRUE(((first == 0) | (first == 2)).all().item<bool>());
  EXPECT_NEAR(first.mean().item<double>(), 1.0, 0.4);
  layer.eval();
  EXPECT_TRUE(torch::equal(layer.forward(torch::ones({4, 3})), torch::ones({4, 3})));
}

TEST(DropTokensTest, WhatIsLeftOutComesBackAsTheMaskToken) {
  const auto chain = Drawn({{"masking", network::DropTokens{0.3}},
                            {"double", network::ChannelAffine{1}},
                            {"mask_token", network::MaskToken{2}}});
  const torch::NoGradGuard no_grad;
  chain->named_parameters()["double.weight"].fill_(2.0);
  chain->named_parameters()["double.bias"].zero_();
  chain->named_parameters()["mask_token"].fill_(-1.0);
  const torch::Tensor tokens = torch::arange(1.0, 41.0).view({2, 10, 2});
  const torch::Tensor actual = chain->forward(tokens);
  const torch::Tensor masked = actual == -1.0;
  EXPECT_TRUE(torch::equal(masked.select(2, 0).sum(1), torch::full({2}, 3)));
  EXPECT_TRUE(torch::equal(actual.masked_select(~masked), (2 * tokens).masked_select(~masked)));
  chain->eval();
  EXPECT_TRUE(torch::equal(chain->forward(tokens), 2 * tokens));
}

TEST(DropTokensTest, KeepsAllTokensWhereNoneWouldComeBack) {
  const auto chain = Drawn({{"masking", network::DropTokens{0.9}}});
  const torch::Tensor tokens = torch::randn({2, 10, 2});
  EXPECT_TRUE(torch::equal(chain->forward(tokens), tokens));
}

class TransformerTest : public ::testing::TestWithParam<bool> {
 protected:
  const network::Description description_ = GetParam() ? TinyVit() : SmallTransformer(0.25, 0.5);
  const std::shared_ptr<Backbone> backbone_ = With(description_);
  const torch::Tensor pictures_ = Pictures(*backbone_, 8);
};

TEST_P(TransformerTest, HasTheTensorsOfItsDescriptionInTheirOrder) {
  std::vector<std::string> described;
  for (const network::TensorShape& tensor : network::TensorsOf(description_)) {
    if (tensor.parameter) described.push_back(tensor.name);
  }
  EXPECT_EQ(backbone_->named_parameters().keys(), described);
}

TEST_P(TransformerTest, AFrozenOneGivesTheSameForAnyBatch) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor expected = backbone_->forward(pictures_);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto frozen, FrozenNetwork::Create(*backbone_, torch::kCPU));
  for (const int64_t rows : {1, 8}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor actual,
                                  frozen->Run(pictures_.narrow(0, 0, rows), 1));
    EXPECT_TRUE(torch::allclose(actual, expected.narrow(0, 0, rows), 1e-4, 1e-5));
  }
}

TEST_P(TransformerTest, APlannedOneGivesTheSame) {
  const torch::NoGradGuard no_grad;
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const network::InferencePlan plan,
      network::PlanInference(description_, RandomWeights(description_, 3)));
  const torch::Tensor padded =
      torch::constant_pad_nd(pictures_, {0, 0, 0, 0, 0, PlanNetwork::kInputChannels - 3});
  const torch::Tensor input = padded.contiguous(at::MemoryFormat::ChannelsLast);
  const PlanNetwork planned(plan, torch::kCPU, torch::kFloat, PlainMapKernels());
  EXPECT_TRUE(torch::allclose(planned.Forward(input), backbone_->forward(pictures_), 1e-4, 1e-5));
}

TEST_P(TransformerTest, LearnsWithAllThatIsLeftOut) {
  backbone_->train();
  torch::manual_seed(2);
  backbone_->forward(pictures_).square().sum().backward();
  for (const auto& parameter : backbone_->named_parameters()) {
    ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
    EXPECT_TRUE(torch::isfinite(parameter.value().grad()).all().item<bool>()) << parameter.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Both, TransformerTest, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Vit" : "Small"; });

}  // namespace
}  // namespace facegate
