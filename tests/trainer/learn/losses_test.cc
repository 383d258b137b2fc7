#include "trainer/learn/losses.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/loss.h>

#include <cmath>

namespace facegate {
namespace {

using torch::Tensor;

Tensor Logits() { return torch::sin(torch::arange(24, torch::kDouble) * 2.3).view({6, 4}) * 3.0; }
Tensor Labels() { return torch::tensor({0, 3, 1, 2, 3, 0}, torch::kInt64); }

TEST(LossesTest, FocalLossWithoutGammaIsCrossEntropy) {
  const double expected = torch::nn::functional::cross_entropy(Logits(), Labels()).item<double>();
  EXPECT_NEAR(ClassificationLoss(Logits(), Labels(), {}).item<double>(), expected, 1e-12);
}

// Not of the batch's mean, as some code does.
TEST(LossesTest, FocalLossIsOfEachSample) {
  const Tensor logits = Logits();
  const Tensor labels = Labels();
  double sum = 0.0;
  for (int64_t row = 0; row < 6; ++row) {
    const double entropy =
        -torch::log_softmax(logits[row], 0)[labels[row].item<int64_t>()].item<double>();
    sum += entropy * std::pow(1.0 - std::exp(-entropy), 2.0);
  }
  EXPECT_NEAR(ClassificationLoss(logits, labels, {.focal_gamma = 2.0}).item<double>(), sum / 6.0,
              1e-12);
}

// A photo whose probability rounds to 1 had a factor of 0 to a negative power in its gradient.
TEST(LossesTest, FocalLossHasAFiniteGradientForEveryGammaAndLogit) {
  for (const auto dtype : {torch::kFloat, torch::kDouble}) {
    for (const double gamma : {1e-3, 0.1, 0.5, 0.999, 1.0, 1.5, 2.0, 5.0, 100.0}) {
      for (const double size : {0.0, 1e-8, 1.0, 16.0, 17.5, 64.0, 100.0, 1e4}) {
        for (const double smoothing : {0.0, 0.1}) {
          const Tensor logits = torch::tensor({{size, -size}, {-size, size}, {size, 0.0}},
                                              torch::TensorOptions().dtype(dtype))
                                    .requires_grad_(true);
          const Tensor loss =
              ClassificationLoss(logits, torch::zeros({3}, torch::kInt64),
                                 {.focal_gamma = gamma, .label_smoothing = smoothing});
          loss.backward();
          EXPECT_TRUE(std::isfinite(loss.item<double>())) << gamma << " " << size;
          EXPECT_TRUE(torch::isfinite(logits.grad()).all().item<bool>()) << gamma << " " << size;
        }
      }
    }
  }
}

TEST(LossesTest, SmoothsLabelsAsPyTorchDoes) {
  const double expected =
      torch::nn::functional::cross_entropy(
          Logits(), Labels(), torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(0.1))
          .item<double>();
  EXPECT_NEAR(ClassificationLoss(Logits(), Labels(), {.label_smoothing = 0.1}).item<double>(),
              expected, 1e-12);
}

TEST(LossesTest, DistillationIsZeroForTheSameDirection) {
  const Tensor teacher = Logits();
  EXPECT_NEAR(DistillationLoss(teacher * 3.0, teacher).item<double>(), 0.0, 1e-12);
  EXPECT_NEAR(DistillationLoss(-teacher, teacher).item<double>(), 2.0, 1e-12);
}

TEST(LossesTest, MapsAreComparedUpToTheScaleAndOffsetOfAChannel) {
  const Tensor teacher =
      torch::sin(torch::arange(2 * 3 * 4 * 4, torch::kDouble).square() * 0.37).view({2, 3, 4, 4});
  const Tensor scale = torch::tensor({0.5, 2.0, 30.0}, torch::kDouble).view({1, 3, 1, 1});
  EXPECT_NEAR(MapLoss(teacher * scale - 5.0, teacher).item<double>(), 0.0, 1e-5);
  EXPECT_NEAR(MapLoss(-teacher, teacher).item<double>(), 2.0, 1e-5);
  // A channel that says nothing counts as one that has nothing in common.
  const Tensor nothing = torch::zeros_like(teacher).requires_grad_(true);
  const Tensor loss = MapLoss(nothing, teacher);
  EXPECT_NEAR(loss.item<double>(), 1.0, 1e-9);
  // And its gradient does not drown all others.
  loss.backward();
  EXPECT_LT(nothing.grad().norm().item<double>(), 1e3);
}

TEST(LossesTest, LikenessIsOfPeopleOfTwoLabelsAlone) {
  const Tensor embeddings =
      torch::tensor({{2.0, 0.0}, {3.0, 0.0}, {1.0, 1.0}, {-1.0, 0.0}}, torch::kDouble);
  const auto likeness = [&](const Tensor& labels) {
    return LikenessLoss(embeddings, labels).item<double>();
  };
  EXPECT_EQ(likeness(torch::full({4}, 5, torch::kInt64)), 0.0);
  // The third with the others: two are at 45 degrees, and the fourth is far away.
  const Tensor labels = torch::tensor({1, 1, 2, 1}, torch::kInt64);
  EXPECT_NEAR(likeness(labels), 2 * (0.5 + 0.5) / 6, 1e-12);
}

TEST(LossesTest, LikenessBearsWhatHasNoDirection) {
  const Tensor embeddings = torch::zeros({3, 4}, torch::kDouble).requires_grad_(true);
  LikenessLoss(embeddings, torch::arange(3)).backward();
  EXPECT_TRUE(torch::isfinite(embeddings.grad()).all().item<bool>());
}

TEST(LossesTest, MapsTeachTheStudentAlone) {
  const Tensor teacher = torch::randn({2, 3, 4, 4}, torch::kDouble).requires_grad_(true);
  const Tensor student = torch::randn({2, 3, 4, 4}, torch::kDouble).requires_grad_(true);
  MapLoss(student, teacher).backward();
  EXPECT_FALSE(teacher.grad().defined());
  EXPECT_GT(student.grad().abs().sum().item<double>(), 0.0);
}

TEST(LossesTest, DistillationTeachesTheStudentAlone) {
  const Tensor teacher = Logits().requires_grad_(true);
  const Tensor student = torch::cos(Logits()).detach().requires_grad_(true);
  DistillationLoss(student, teacher).backward();
  EXPECT_FALSE(teacher.grad().defined());
  EXPECT_GT(student.grad().abs().sum().item<double>(), 0.0);
}

}  // namespace
}  // namespace facegate
