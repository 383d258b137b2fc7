#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/trainer/parallel/group_of_threads.h"
#include "trainer/learn/descent.h"

namespace facegate {
namespace {

using torch::Tensor;

// Alone, and counts what it would send.
class CountingGroup final : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  bool has_failed() const override { return false; }
  Status Sum(Tensor& tensor) override {
    sent_ += tensor.nbytes();
    return OkStatus();
  }
  Status Max(Tensor& /*tensor*/) override { return OkStatus(); }
  StatusOr<std::vector<Tensor>> Gather(const Tensor& tensor) override {
    return std::vector<Tensor>{tensor};
  }
  Status TakeFirst(Tensor& /*tensor*/) override { return OkStatus(); }
  size_t sent() const { return sent_; }

 private:
  size_t sent_ = 0;
};

size_t SentOf(const std::vector<Tensor>& tensors, Travel travel) {
  CountingGroup group;
  EXPECT_THAT(SumTogether(tensors, group, travel), IsOk());
  return group.sent();
}

TEST(NarrowGradientsTest, AreHalfOfTheBytesOnTheirWay) {
  const std::vector<Tensor> tensors = {torch::ones({5000000}), torch::ones({300, 7})};
  EXPECT_EQ(2 * SentOf(tensors, Travel::kFp16), SentOf(tensors, Travel::kWhole));
  EXPECT_EQ(tensors[0].scalar_type(), torch::kFloat);
}

// Two processes with a parameter each, of which both have their half of the gradient.
class NarrowDescentTest : public WithGloo {
 protected:
  static std::unique_ptr<Descent> Make(const Tensor& parameter,
                                       const std::shared_ptr<ProcessGroup>& group, Travel travel) {
    auto descent = std::make_unique<Descent>(
        Optimizer::Create({.kind = "sgd", .momentum = 0.0, .nesterov = false},
                          {{.name = "p", .value = parameter}})
            .value(),
        LrSchedule::Create({.kind = "constant", .base = 1.0, .total = 10}).value(), 0.0);
    descent->ShareWith(group, travel);
    return descent;
  }
};

TEST_F(NarrowDescentTest, GradientsDifferByTheRoundingOfHalvesAlone) {
  InGroup(2, [](const auto& group) {
    std::vector<Tensor> learned;
    for (const Travel travel : {Travel::kWhole, Travel::kFp16}) {
      const Tensor parameter = torch::zeros({1000}).requires_grad_(true);
      const auto descent = Make(parameter, group, travel);
      const Tensor factors = torch::arange(1, 1001, torch::kFloat) * (1.1 + group->rank());
      descent->Gather((parameter * factors).sum());
      EXPECT_TRUE(descent->Update());
      learned.push_back(parameter.detach());
    }
    const Tensor difference = ((learned[1] - learned[0]) / learned[0]).abs();
    EXPECT_GT(difference.max().template item<double>(), 0.0);
    // Two are rounded, and so is their sum.
    EXPECT_LT(difference.max().template item<double>(), 2.0 * std::exp2(-11.0));
  });
}

// Halves themselves begin at 6e-8, have 11 bits from 6e-5 on, and end at 65504.
TEST_F(NarrowDescentTest, SmallAndLargeOnesKeepTheirBits) {
  InGroup(2, [](const auto& group) {
    for (const double size : {1e-30, 1e-8, 1e-6, 7e4, 1e30}) {
      const Tensor sums = torch::arange(1, 1001, torch::kFloat) * (size * (1.1 + group->rank()));
      const Tensor expected = torch::arange(1, 1001, torch::kFloat) * (3.2 * size);
      ASSERT_THAT(SumTogether({sums}, *group, Travel::kFp16), IsOk());
      const Tensor difference = ((sums - expected) / expected).abs();
      EXPECT_LT(difference.max().template item<double>(), 2.0 * std::exp2(-11.0)) << size;
    }
  });
}

TEST_F(NarrowDescentTest, TheScaleIsThatOfTheLargestOfAll) {
  InGroup(2, [](const auto& group) {
    const Tensor sums = torch::full({2}, group->rank() == 0 ? 3e6F : 1e-3F);
    ASSERT_THAT(SumTogether({sums}, *group, Travel::kFp16), IsOk());
    EXPECT_NEAR(sums[0].template item<double>(), 3e6, 3e3);
  });
}

TEST_F(NarrowDescentTest, ZerosStayZeros) {
  CountingGroup alone;
  const Tensor sums = torch::zeros({3});
  ASSERT_THAT(SumTogether({sums, torch::zeros({0})}, alone, Travel::kFp16), IsOk());
  EXPECT_TRUE(sums.equal(torch::zeros({3})));
}

TEST_F(NarrowDescentTest, OneThatIsNotFiniteChangesNothing) {
  InGroup(2, [](const auto& group) {
    const Tensor parameter = torch::ones({2}).requires_grad_(true);
    const auto descent = Make(parameter, group, Travel::kFp16);
    EXPECT_TRUE(std::isfinite(descent->Gather((parameter * 7e4).sum())));
    // The slope of a root is infinite at zero.
    const Tensor at = group->rank() == 0 ? parameter - parameter.detach() : parameter;
    EXPECT_FALSE(std::isfinite(descent->Gather(at.sqrt().sum())));
    EXPECT_EQ(descent->gathered(), 1);
    EXPECT_TRUE(descent->Update());
    EXPECT_NEAR(parameter[0].template item<double>(), 1.0 - 7e4, 40.0);
  });
}

}  // namespace
}  // namespace facegate
