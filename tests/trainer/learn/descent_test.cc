#include "trainer/learn/descent.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr double kRate = 0.1;

// Plain gradient descent of one parameter of two numbers, 3 and 4.
class DescentTest : public ::testing::Test {
 protected:
  Descent Make(double clip_norm = 0.0) {
    auto optimizer = Optimizer::Create({.kind = "sgd", .momentum = 0.0, .nesterov = false},
                                       {{.name = "p", .value = parameter_}});
    auto schedule = LrSchedule::Create({.kind = "constant", .base = kRate, .total = 10});
    EXPECT_THAT(optimizer, IsOk());
    EXPECT_THAT(schedule, IsOk());
    return {*std::move(optimizer), *std::move(schedule), clip_norm};
  }
  // A loss whose gradient is `factor` times the numbers 3 and 4, wherever the parameter is.
  Tensor Loss(double factor) const {
    return (parameter_ * torch::tensor({3.0, 4.0}, torch::kDouble) * factor).sum();
  }
  void ExpectAt(double first, double second) const {
    EXPECT_NEAR(parameter_[0].item<double>(), first, 1e-12);
    EXPECT_NEAR(parameter_[1].item<double>(), second, 1e-12);
  }

  Tensor parameter_ = torch::tensor({3.0, 4.0}, torch::kDouble).requires_grad_(true);
};

TEST_F(DescentTest, MakesOneUpdateByTheMeanOfAGroup) {
  Descent descent = Make();
  EXPECT_NEAR(descent.Gather(Loss(1.0)), 5.0, 1e-12);
  EXPECT_NEAR(descent.Gather(Loss(3.0)), 20.0, 1e-12);
  EXPECT_TRUE(descent.Update());
  ExpectAt(3.0 - kRate * 6.0, 4.0 - kRate * 8.0);
  EXPECT_NEAR(descent.gradient_norm(), 10.0, 1e-12);
  EXPECT_EQ(descent.updates(), 1);
  EXPECT_EQ(descent.gathered(), 0);
}

TEST_F(DescentTest, ClipsTheCommonNorm) {
  Descent descent = Make(1.0);
  descent.Gather(Loss(1.0));
  EXPECT_TRUE(descent.Update());
  ExpectAt(3.0 - kRate * 0.6, 4.0 - kRate * 0.8);
  EXPECT_NEAR(descent.gradient_norm(), 5.0, 1e-12);
}

TEST_F(DescentTest, DoesNotClipASmallerNorm) {
  Descent descent = Make(100.0);
  descent.Gather(Loss(1.0));
  EXPECT_TRUE(descent.Update());
  ExpectAt(3.0 - kRate * 3.0, 4.0 - kRate * 4.0);
}

TEST_F(DescentTest, TakesNothingFromALossThatIsNotFinite) {
  Descent descent = Make();
  descent.Gather(Loss(1.0));
  EXPECT_FALSE(std::isfinite(descent.Gather(Loss(std::numeric_limits<double>::infinity()))));
  EXPECT_EQ(descent.gathered(), 1);
  EXPECT_TRUE(descent.Update());
  ExpectAt(3.0 - kRate * 3.0, 4.0 - kRate * 4.0);
}

TEST_F(DescentTest, TakesNothingFromAGradientThatIsNotFinite) {
  Descent descent = Make();
  const Tensor root = (parameter_ - parameter_.detach()).sqrt().sum();  // steep without end at 0
  EXPECT_FALSE(std::isfinite(descent.Gather(root)));
  EXPECT_FALSE(descent.Update());
  EXPECT_EQ(descent.updates(), 0);
  ExpectAt(3.0, 4.0);
}

TEST_F(DescentTest, ChecksWhatTheChangeLeaves) {
  Descent descent = Make();
  EXPECT_EQ(descent.Gather(Loss(1.0), [&] { parameter_.mutable_grad().zero_(); }), 0.0);
  EXPECT_TRUE(descent.Update());
  ExpectAt(3.0, 4.0);
}

TEST_F(DescentTest, GoesOnAtTheRateOfItsUpdates) {
  Descent descent = Make();
  descent.Gather(Loss(1.0));
  descent.Resume(7, 2.5);
  EXPECT_EQ(descent.updates(), 7);
  EXPECT_EQ(descent.gradient_norm(), 2.5);
  EXPECT_FALSE(descent.Update()) << "what was gathered before is forgotten";
}

// A loss scale is a power of two: gradients times it, and divided by it again, are the same.
TEST_F(DescentTest, TakesTheScaleOfLossesOutAgain) {
  Descent descent = Make(1.0);
  descent.ScaleLosses(torch::kCPU);
  const double norm = descent.Backward(Loss(1.0)).item<double>();
  EXPECT_NEAR(norm, 5.0 * GradientScaler::kFirst, 1e-3);
  EXPECT_NEAR(descent.Judge(norm), 5.0, 1e-6);
  EXPECT_TRUE(descent.Update());
  ExpectAt(3.0 - kRate * 0.6, 4.0 - kRate * 0.8);
}

TEST_F(DescentTest, PutsAGroupOnTheScaleOfItsNextBatch) {
  Descent descent = Make();
  descent.ScaleLosses(torch::kCPU);
  descent.Judge(descent.Backward(Loss(1.0)).item<double>());
  descent.Backward(Loss(1.0));
  EXPECT_FALSE(std::isfinite(descent.Judge(std::numeric_limits<double>::infinity())));
  EXPECT_EQ(descent.loss_scale(), GradientScaler::kFirst / 2.0);
  EXPECT_NEAR(descent.Judge(descent.Backward(Loss(3.0)).item<double>()), 20.0, 1e-9);
  EXPECT_TRUE(descent.Update());
  ExpectAt(3.0 - kRate * 6.0, 4.0 - kRate * 8.0);
}

TEST_F(DescentTest, KeepsTheScaleOfLossesInACheckpoint) {
  Descent before = Make();
  before.ScaleLosses(torch::kCPU);
  before.Backward(Loss(1.0));
  before.Judge(std::numeric_limits<double>::infinity());
  CheckpointFacts facts;
  before.SaveScale(facts);
  Descent after = Make();
  after.ScaleLosses(torch::kCPU);
  ASSERT_THAT(after.ResumeScale(facts), IsOk());
  EXPECT_EQ(after.loss_scale(), GradientScaler::kFirst / 2.0);
  EXPECT_NEAR(after.Backward(Loss(1.0)).item<double>(), 5.0 * GradientScaler::kFirst / 2.0, 1e-3);
}

TEST_F(DescentTest, NotesNoScaleWhereLossesHaveNone) {
  CheckpointFacts facts;
  Make().SaveScale(facts);
  EXPECT_TRUE(facts.empty());
}

}  // namespace
}  // namespace facegate
