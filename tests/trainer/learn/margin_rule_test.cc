#include "trainer/learn/margin_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>
#include <functional>

#include "tests/support/status_matchers.h"
#include "tests/trainer/learn/margin_reference.h"
#include "trainer/learn/losses.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr int64_t kBatch = 5;
constexpr int64_t kClasses = 7;

// The inputs of tests/golden/margin_reference.py.
CosineBatch ReferenceBatch() {
  const Tensor i = torch::arange(kBatch * kClasses, torch::kDouble);
  return {.cosines = torch::sin(i * 1.7 + 0.3).view({kBatch, kClasses}) * 0.95,
          .norms = torch::cos(torch::arange(kBatch, torch::kDouble)) * 9.0 + 12.0,
          .labels = torch::tensor({3, 0, 6, 2, 2}, torch::kInt64)};
}

template <size_t N>
void ExpectEqual(const Tensor& actual, const double (&expected)[N], double tolerance) {
  ASSERT_EQ(actual.numel(), static_cast<int64_t>(N));
  const Tensor flat = actual.detach().contiguous().view(-1);
  for (size_t i = 0; i < N; ++i) {
    EXPECT_NEAR(flat[static_cast<int64_t>(i)].item<double>(), expected[i], tolerance) << i;
  }
}

std::unique_ptr<MarginRule> Rule(const MarginOptions& options) {
  auto rule = MakeMarginRule(options);
  EXPECT_THAT(rule, IsOk());
  return rule.ok() ? *std::move(rule) : nullptr;
}

// A new rule, so that what rules learn does not differ between calls; CurricularFace's running mean
// is set so that it comes to 0.3 with this batch, because no gradient is to go through it.
MarginResult ApplyNew(const MarginOptions& options, const CosineBatch& batch) {
  const auto rule = Rule(options);
  if (options.kind == "curricularface") {
    const double mean = batch.cosines.detach()
                            .gather(1, batch.labels.unsqueeze(1))
                            .mean()
                            .to(torch::kDouble)
                            .item<double>();
    rule->buffers().front().value.fill_((0.3 - 0.01 * mean) / 0.99);
  }
  return rule->Apply(batch, 1.0);
}

double LossOf(const MarginOptions& options, const CosineBatch& batch) {
  const MarginResult result = ApplyNew(options, batch);
  Tensor loss = ClassificationLoss(result.logits, batch.labels, {});
  if (result.added_loss.defined()) loss = loss + result.added_loss;
  return loss.item<double>();
}

class EveryMarginTest : public ::testing::TestWithParam<std::string> {
 protected:
  // Small enough for the loss not to saturate.
  MarginOptions Options() const {
    MarginOptions options;
    options.kind = GetParam();
    options.scale = 4.0;
    options.m1 = 1.1;
    options.m3 = 0.1;
    options.lambda_base = 3.0;
    options.lambda_minimum = 0.5;
    options.norm_weight = 2.0;
    return options;
  }
};

TEST_P(EveryMarginTest, HasTheGradientOfItsValues) {
  const CosineBatch batch = ReferenceBatch();
  const Tensor cosines = batch.cosines.clone().requires_grad_(true);
  const Tensor norms = batch.norms.clone().requires_grad_(true);
  const MarginResult result =
      ApplyNew(Options(), {.cosines = cosines, .norms = norms, .labels = batch.labels});
  Tensor loss = ClassificationLoss(result.logits, batch.labels, {});
  if (result.added_loss.defined()) loss = loss + result.added_loss;
  loss.backward();

  constexpr double kStep = 1e-6;
  const auto slope = [&](const Tensor& value, int64_t at) {
    Tensor flat = value.view(-1);
    const double kept = flat[at].item<double>();
    flat[at] = kept + kStep;
    const double above = LossOf(Options(), batch);
    flat[at] = kept - kStep;
    const double below = LossOf(Options(), batch);
    flat[at] = kept;
    return (above - below) / (2.0 * kStep);
  };
  for (int64_t i = 0; i < batch.cosines.numel(); ++i) {
    EXPECT_NEAR(cosines.grad().view(-1)[i].item<double>(), slope(batch.cosines, i), 1e-6) << i;
  }
  // AdaFace sees norms but sends no gradient to them.
  if (GetParam() == "adaface") return;
  for (int64_t i = 0; i < kBatch; ++i) {
    const double gradient = norms.grad().defined() ? norms.grad()[i].item<double>() : 0.0;
    EXPECT_NEAR(gradient, slope(batch.norms, i), 1e-6) << i;
  }
}

TEST_P(EveryMarginTest, IsFiniteAtTheEnds) {
  for (const auto dtype : {torch::kFloat, torch::kDouble}) {
    Tensor cosines = torch::zeros({4, 3}, dtype);
    cosines[0][0] = 1.0;
    cosines[1][0] = -1.0;
    cosines[2][1] = 1.0;
    cosines[2][0] = -1.0;
    cosines.requires_grad_(true);
    const CosineBatch batch{.cosines = cosines,
                            .norms = torch::tensor({1e-6, 1.0, 50.0, 1e6}, dtype),
                            .labels = torch::zeros({4}, torch::kInt64)};
    const MarginResult result = Rule(Options())->Apply(batch, 1.0);
    Tensor loss = ClassificationLoss(result.logits, batch.labels, {});
    if (result.added_loss.defined()) loss = loss + result.added_loss;
    loss.backward();
    EXPECT_TRUE(std::isfinite(loss.item<double>()));
    EXPECT_TRUE(torch::isfinite(cosines.grad()).all().item<bool>());
  }
}

TEST_P(EveryMarginTest, WithoutStrengthIsScaledSoftmax) {
  const CosineBatch batch = ReferenceBatch();
  const Tensor logits = Rule(Options())->Apply(batch, 0.0).logits;
  if (GetParam() == "sphereface") {
    EXPECT_TRUE(torch::allclose(logits, batch.cosines * batch.norms.unsqueeze(1)));
  } else if (GetParam() != "curricularface") {  // it weighs other classes all the same
    EXPECT_TRUE(torch::allclose(logits, batch.cosines * 4.0));
  }
}

TEST_P(EveryMarginTest, MakesTheRightClassHarder) {
  const CosineBatch batch = ReferenceBatch();
  const Tensor logits = Rule(Options())->Apply(batch, 1.0).logits;
  const Tensor plain = Rule(Options())->Apply(batch, 0.0).logits;
  const Tensor labels = batch.labels.unsqueeze(1);
  EXPECT_TRUE((logits.gather(1, labels) <= plain.gather(1, labels)).all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryMarginTest, ::testing::ValuesIn(MarginKinds()),
                         [](const auto& kind) { return kind.param; });

TEST(MarginRuleTest, EqualsAnIndependentAdaFace) {
  MarginOptions options;
  options.kind = "adaface";
  options.margin = 0.4;
  const auto rule = Rule(options);
  CosineBatch batch = ReferenceBatch();
  ExpectEqual(rule->Apply(batch, 1.0).logits, margin_reference::kAdaFaceFirst, 1e-6);
  batch.norms = batch.norms + 3.0;
  ExpectEqual(rule->Apply(batch, 1.0).logits, margin_reference::kAdaFaceSecond, 1e-6);
  const auto buffers = rule->buffers();
  ASSERT_EQ(buffers.size(), 2u);
  EXPECT_NEAR(buffers[0].value.item<double>(), margin_reference::kAdaFaceStatistics[0], 1e-9);
  EXPECT_NEAR(buffers[1].value.item<double>(), margin_reference::kAdaFaceStatistics[1], 1e-9);
}

TEST(MarginRuleTest, EqualsAnIndependentStraightThroughArcFace) {
  MarginOptions options;
  options.gradient = MarginGradient::kStraightThrough;
  CosineBatch batch = ReferenceBatch();
  batch.cosines.requires_grad_(true);
  const MarginResult result = Rule(options)->Apply(batch, 1.0);
  ExpectEqual(result.logits, margin_reference::kStraightThroughLogits, 1e-6);
  ClassificationLoss(result.logits, batch.labels, {}).backward();
  ExpectEqual(batch.cosines.grad(), margin_reference::kStraightThroughGradient, 1e-6);
}

// Numbers of an implementation of its own; gradients are of the mean cross entropy.
template <size_t Logits, size_t Norms>
struct Expected {
  const double (&logits)[Logits];
  const double (&added_loss)[1];
  const double (&by_cosine)[Logits];
  const double (&by_norm)[Norms];
};

template <size_t Logits, size_t Norms>
void ExpectRule(MarginRule& rule, double sign, const Expected<Logits, Norms>& expected) {
  const CosineBatch inputs = ReferenceBatch();
  const Tensor cosines = (inputs.cosines * sign).requires_grad_(true);
  const Tensor norms = inputs.norms.clone().requires_grad_(true);
  const MarginResult result =
      rule.Apply({.cosines = cosines, .norms = norms, .labels = inputs.labels}, 1.0);
  ExpectEqual(result.logits, expected.logits, 1e-9);
  Tensor loss = ClassificationLoss(result.logits, inputs.labels, {});
  if (result.added_loss.defined()) {
    ExpectEqual(result.added_loss, expected.added_loss, 1e-9);
    loss = loss + result.added_loss;
  }
  loss.backward();
  ExpectEqual(cosines.grad(), expected.by_cosine, 1e-9);
  ExpectEqual(norms.grad().defined() ? norms.grad() : torch::zeros_like(norms), expected.by_norm,
              1e-9);
}

std::unique_ptr<MarginRule> ReferenceRule(const std::string& kind) {
  MarginOptions options;
  options.kind = kind;
  options.scale = 16.0;
  return Rule(options);
}

TEST(MarginRuleTest, EqualsAnIndependentArcFace) {
  namespace reference = margin_reference;
  ExpectRule(*ReferenceRule("arcface"), 1.0,
             Expected{reference::kArcFaceLogits, reference::kArcFaceAddedLoss,
                      reference::kArcFaceByCosine, reference::kArcFaceByNorm});
}

TEST(MarginRuleTest, EqualsAnIndependentCurricularFace) {
  namespace reference = margin_reference;
  const auto rule = ReferenceRule("curricularface");
  ExpectRule(*rule, 1.0,
             Expected{reference::kCurricularFirstLogits, reference::kCurricularFirstAddedLoss,
                      reference::kCurricularFirstByCosine, reference::kCurricularFirstByNorm});
  ExpectRule(*rule, -1.0,
             Expected{reference::kCurricularSecondLogits, reference::kCurricularSecondAddedLoss,
                      reference::kCurricularSecondByCosine, reference::kCurricularSecondByNorm});
  EXPECT_NEAR(rule->buffers().front().value.item<double>(), reference::kCurricularProgress[0],
              1e-15);
}

TEST(MarginRuleTest, EqualsAnIndependentMagFace) {
  namespace reference = margin_reference;
  ExpectRule(*ReferenceRule("magface"), 1.0,
             Expected{reference::kMagFaceLogits, reference::kMagFaceAddedLoss,
                      reference::kMagFaceByCosine, reference::kMagFaceByNorm});
}

TEST(MarginRuleTest, EqualsAnIndependentSphereFace) {
  namespace reference = margin_reference;
  ExpectRule(*ReferenceRule("sphereface"), 1.0,
             Expected{reference::kSphereFaceLogits, reference::kSphereFaceAddedLoss,
                      reference::kSphereFaceByCosine, reference::kSphereFaceByNorm});
}

// What lambda = max(2, 10 / (1 + t)) makes of the margin in step t: 1 / (1 + lambda) of it.
TEST(MarginRuleTest, TheMarginOfSphereFaceGrowsAsLambdaFalls) {
  MarginOptions options;
  options.kind = "sphereface";
  options.lambda_base = 0.0;
  options.lambda_minimum = 0.0;
  const CosineBatch batch = ReferenceBatch();
  const Tensor plain = Rule(options)->Apply(batch, 0.0).logits;
  const Tensor whole = Rule(options)->Apply(batch, 1.0).logits;
  options.lambda_base = 10.0;
  options.lambda_gamma = 1.0;
  options.lambda_power = 1.0;
  options.lambda_minimum = 2.0;
  const auto rule = Rule(options);
  for (const double lambda : {5.0, 10.0 / 3.0, 2.5, 2.0, 2.0}) {
    const Tensor expected = plain + (whole - plain) / (1.0 + lambda);
    EXPECT_TRUE(torch::allclose(rule->Apply(batch, 1.0).logits, expected)) << lambda;
  }
}

TEST(MarginRuleTest, ArcFaceIsMonotonicInTheAngle) {
  for (const bool easy : {false, true}) {
    MarginOptions options;
    options.easy_margin = easy;
    const Tensor cosines = torch::linspace(-1.0, 1.0, 2001, torch::kDouble).unsqueeze(1);
    const CosineBatch batch{.cosines = cosines,
                            .norms = torch::ones({2001}, torch::kDouble),
                            .labels = torch::zeros({2001}, torch::kInt64)};
    const Tensor logits = Rule(options)->Apply(batch, 1.0).logits.view(-1);
    const Tensor steps = logits.slice(0, 1) - logits.slice(0, 0, 2000);
    // There is one jump down with easy margin, where the margin begins.
    EXPECT_EQ((steps < 0).sum().item<int64_t>(), easy ? 1 : 0);
  }
}

TEST(MarginRuleTest, RefusesWhatHasNoMeaning) {
  const auto refused = [](const std::function<void(MarginOptions&)>& spoil) {
    MarginOptions options;
    spoil(options);
    EXPECT_THAT(MakeMarginRule(options), StatusIs(StatusCode::kInvalidArgument));
  };
  refused([](MarginOptions& o) { o.kind = "arcfase"; });
  refused([](MarginOptions& o) { o.scale = 0.0; });
  refused([](MarginOptions& o) { o.margin = -0.1; });
  refused([](MarginOptions& o) { o.margin = std::nan(""); });
  refused([](MarginOptions& o) { o.angle_factor = 0; });
  refused([](MarginOptions& o) { o.upper_norm = 5.0; });
  refused([](MarginOptions& o) { o.norm_momentum = 0.0; });
}

}  // namespace
}  // namespace facegate
