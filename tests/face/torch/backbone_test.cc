#include "face/torch/backbone.h"

#include <gmock/gmock.h>

#include <string>

#include "face/network/architecture.h"
#include "face/network/random_weights.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// Two pictures of exact values: ((7919 i mod 65521 mod 256) - 127.5) / 127.5 for number i.
torch::Tensor Pictures(const network::Input& input = network::kCropInput) {
  const auto& [channels, height, width] = input;
  const torch::Tensor index = torch::arange(2 * channels * height * width, torch::kInt64);
  return ((index * 7919).remainder(65521).remainder(256).to(torch::kFloat32) - 127.5f)
      .div(127.5f)
      .view({2, channels, height, width});
}

std::shared_ptr<Backbone> WithRandomWeights(const std::string& architecture, uint64_t seed) {
  auto backbone = CreateBackbone(architecture);
  auto weights = RandomWeights(architecture, seed);
  EXPECT_THAT(backbone, IsOk());
  EXPECT_THAT(LoadWeights(weights.value(), *backbone.value()), IsOk());
  return backbone.value();
}

struct Original {
  std::string architecture;
  std::vector<float> values;  // the first of the second picture's unit-length embedding
  float cosine;               // of the two pictures
};

// PyTorch 1.13 gave these with RandomWeights(architecture, 7): the originals of the first four, and
// tests/golden/backbone_reference.py for the others.
class OriginalTest : public ::testing::TestWithParam<Original> {};

TEST_P(OriginalTest, BackboneComputesWhatItsOriginalComputes) {
  const Original& original = GetParam();
  const auto backbone = WithRandomWeights(original.architecture, 7);
  backbone->eval();
  const torch::NoGradGuard no_grad;
  torch::Tensor embeddings = backbone->forward(Pictures(backbone->input()));
  embeddings = embeddings / embeddings.norm(2, 1, true);
  for (size_t i = 0; i < original.values.size(); ++i) {
    EXPECT_NEAR(embeddings[1][static_cast<int64_t>(i)].item<float>(), original.values[i], 1e-5);
  }
  EXPECT_NEAR(embeddings[0].dot(embeddings[1]).item<float>(), original.cosine, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    All, OriginalTest,
    ::testing::Values(
        Original{"mobilefacenet-128", {0.012330f, -0.046295f, -0.109354f, 0.043750f}, 0.922541f},
        Original{"mobilefacenet-512", {0.052564f, 0.005698f, 0.041560f, 0.018302f}, -0.385910f},
        Original{"iresnet-18", {-0.014220f, -0.033015f, -0.043655f, 0.066066f}, 0.337670f},
        Original{"iresnet-50", {-0.051534f, -0.034022f, -0.033675f, -0.024575f}, 0.628077f},
        Original{"irse-50", {0.064267f, 0.007050f, 0.008721f, 0.005570f}, -0.264923f},
        Original{"irse-18", {0.054300f, 0.059634f, 0.010706f, -0.021657f}, -0.393718f},
        Original{"resnet-face-18-se", {0.070324f, -0.026763f, 0.091365f, 0.034539f}, 0.968781f},
        Original{"resnet-18-grey128", {0.087548f, -0.020962f, 0.086724f, 0.018153f}, 0.970590f},
        Original{"resnet-18-pooled", {0.025571f, 0.023873f, -0.012575f, 0.067439f}, 0.968607f},
        Original{"resnet-50-mean-128", {0.059973f, -0.056637f, -0.079556f, 0.018671f}, 0.999695f},
        Original{"resnet-18-plane-2", {0.950841f, 0.309681f}, 0.981724f},
        Original{"mobilenetv1-512", {0.033092f, 0.008297f, 0.024413f, 0.006314f}, 0.999998f},
        Original{"keras-resnet-50", {0.010632f, -0.016702f, 0.037444f, -0.043800f}, 0.992170f},
        Original{"keras-mobilenetv2", {0.048521f, 0.017359f, 0.010829f, 0.009190f}, 0.984902f},
        Original{"ghostfacenet-v1-s1", {0.034987f, -0.022586f, 0.011070f, 0.054631f}, 0.458280f},
        Original{"ghostfacenet-v1-s2", {-0.049638f, -0.034125f, -0.029720f, -0.039193f}, 0.686484f},
        Original{"vit-t", {-0.049121f, 0.017507f, 0.036102f, 0.026230f}, 0.742284f}),
    [](const auto& tested) {
      std::string name = tested.param.architecture;
      std::erase(name, '-');
      return name;
    });

TEST(BackboneTest, EachArchitectureGivesEmbeddingsOfItsSize) {
  const torch::NoGradGuard no_grad;
  for (const std::string name : {"mobilefacenet-128", "mobilefacenet-512", "iresnet-18"}) {
    const auto backbone = WithRandomWeights(name, 1);
    backbone->eval();
    EXPECT_EQ(backbone->forward(Pictures()).sizes(),
              torch::IntArrayRef({2, EmbeddingSizeOf(name).value()}))
        << name;
  }
}

TEST(BackboneTest, BackwardPassReachesAllParametersButTheFixedOne) {
  for (const std::string name : {"mobilefacenet-128", "iresnet-18", "ghostfacenet-v1-s2"}) {
    const auto backbone = WithRandomWeights(name, 2);
    backbone->train();
    backbone->forward(Pictures()).square().sum().backward();
    for (const auto& item : backbone->named_parameters()) {
      if (name == "iresnet-18" && item.key() == "features.weight") {
        EXPECT_FALSE(item.value().requires_grad());
        continue;
      }
      ASSERT_TRUE(item.value().grad().defined()) << item.key();
      EXPECT_TRUE(torch::isfinite(item.value().grad()).all().item<bool>()) << item.key();
    }
  }
}

TEST(BackboneTest, TrainingModeUpdatesRunningStatistics) {
  const auto backbone = WithRandomWeights("mobilefacenet-128", 3);
  const torch::NoGradGuard no_grad;
  const auto buffers = backbone->named_buffers();
  const torch::Tensor before = buffers["conv1.bn.running_mean"].clone();
  backbone->eval();
  backbone->forward(Pictures());
  EXPECT_TRUE(torch::equal(before, buffers["conv1.bn.running_mean"]));
  backbone->train();
  backbone->forward(Pictures());
  EXPECT_FALSE(torch::equal(before, buffers["conv1.bn.running_mean"]));
  EXPECT_EQ(buffers["conv1.bn.num_batches_tracked"].item<int64_t>(), 1);
}

TEST(BackboneTest, DropoutActsInTrainingModeOnly) {
  const torch::NoGradGuard no_grad;
  auto backbone = CreateBackbone("iresnet-18", 1.0).value();
  ASSERT_THAT(LoadWeights(RandomWeights("iresnet-18", 4).value(), *backbone), IsOk());
  backbone->eval();
  const torch::Tensor embeddings = backbone->forward(Pictures());
  EXPECT_FALSE(torch::equal(embeddings[0], embeddings[1]));
  // Everything dropped: only the last layers' biases are left, equal for each picture.
  backbone->train();
  const torch::Tensor dropped = backbone->forward(Pictures());
  EXPECT_TRUE(torch::allclose(dropped[0], dropped[1]));
}

TEST(BackboneTest, RefusesUnknownArchitectureAndImpossibleDropout) {
  const auto unknown = CreateBackbone("mobilefacenet");
  EXPECT_THAT(unknown, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(unknown.status())), HasSubstr("iresnet-50"));
  EXPECT_THAT(CreateBackbone("iresnet-18", 1.5), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CreateBackbone("iresnet-18", -0.1), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
