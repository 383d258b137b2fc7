#include "trainer/learn/optimizer.h"

#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <memory>

#include "tests/support/status_matchers.h"
#include "tests/trainer/learn/optimizer_reference.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr double kDecay = 0.01;

Tensor Parameter() {
  return torch::sin(torch::arange(12, torch::kDouble)).view({3, 4}).requires_grad_(true);
}

// A loss whose gradient is another one at each step.
void SetGradient(Tensor& parameter, int step) {
  parameter.mutable_grad() = (parameter.detach() * 0.3 +
                              torch::cos(torch::arange(12, torch::kDouble) * step).view({3, 4}));
}

std::unique_ptr<Optimizer> Ours(const OptimizerOptions& options, const Tensor& parameter) {
  auto optimizer =
      Optimizer::Create(options, {{.name = "p", .value = parameter, .weight_decay = kDecay}});
  EXPECT_THAT(optimizer, IsOk());
  return *std::move(optimizer);
}

// Ten steps of both come to the same.
void ExpectEqual(const OptimizerOptions& options, Tensor theirs_parameter,
                 torch::optim::Optimizer& theirs, double learning_rate) {
  Tensor parameter = Parameter();
  const auto ours = Ours(options, parameter);
  for (int step = 0; step < 10; ++step) {
    SetGradient(parameter, step);
    SetGradient(theirs_parameter, step);
    ours->Step(learning_rate);
    theirs.step();
  }
  EXPECT_TRUE(torch::allclose(parameter, theirs_parameter, 1e-12, 1e-14));
  EXPECT_EQ(ours->steps(), 10);
}

TEST(OptimizerTest, SgdEqualsPyTorchs) {
  for (const bool nesterov : {false, true}) {
    const Tensor parameter = Parameter();
    torch::optim::SGD theirs(
        std::vector<Tensor>{parameter},
        torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(kDecay).nesterov(nesterov));
    ExpectEqual({.kind = "sgd", .nesterov = nesterov}, parameter, theirs, 0.1);
  }
}

TEST(OptimizerTest, AdamEqualsPyTorchs) {
  const Tensor parameter = Parameter();
  torch::optim::Adam theirs(std::vector<Tensor>{parameter},
                            torch::optim::AdamOptions(0.02).weight_decay(kDecay));
  ExpectEqual({.kind = "adam"}, parameter, theirs, 0.02);
}

TEST(OptimizerTest, AdamWEqualsPyTorchs) {
  const Tensor parameter = Parameter();
  torch::optim::AdamW theirs(std::vector<Tensor>{parameter},
                             torch::optim::AdamWOptions(0.02).weight_decay(kDecay));
  ExpectEqual({.kind = "adamw"}, parameter, theirs, 0.02);
}

// The steps of tests/golden/optimizer_reference.py: the rate is halved, and gradients fall, so that
// both bounds and the largest second moment count.
TEST(OptimizerTest, EqualsAnIndependentAdaBound) {
  const auto expect = [](const Tensor& value, const double(&expected)[12]) {
    for (int64_t i = 0; i < 12; ++i) {
      EXPECT_NEAR(value.view(-1)[i].item<double>(), expected[i], 1e-12) << i;
    }
  };
  for (const bool amsbound : {false, true}) {
    Tensor parameter = Parameter();
    const auto optimizer = Ours({.kind = "adabound",
                                 .final_rate = 0.1,
                                 .bound_speed = 0.05,
                                 .base_rate = 0.02,
                                 .amsbound = amsbound},
                                parameter);
    for (int step = 0; step < 10; ++step) {
      const double size = step < 3 ? 3.0 : 0.2;
      parameter.mutable_grad() =
          parameter.detach() * 0.3 +
          torch::cos(torch::arange(12, torch::kDouble) * step).view({3, 4}) * size;
      optimizer->Step(step < 5 ? 0.02 : 0.01);
      if (step == 0) {
        expect(parameter, amsbound ? optimizer_reference::kAmsBoundFirst
                                   : optimizer_reference::kAdaBoundFirst);
      }
    }
    expect(parameter,
           amsbound ? optimizer_reference::kAmsBoundLast : optimizer_reference::kAdaBoundLast);
  }
}

// The bounds close in on final_rate, so that it ends as SGD without the scale of the gradient.
TEST(OptimizerTest, AdaBoundMovesFromAdamToSgd) {
  const OptimizerOptions adabound{.kind = "adabound", .final_rate = 0.1, .base_rate = 0.001};
  Tensor early = Parameter();
  Tensor adam = Parameter();
  const auto a = Ours(adabound, early);
  const auto b = Ours({.kind = "adam"}, adam);
  SetGradient(early, 1);
  SetGradient(adam, 1);
  a->Step(0.001);
  b->Step(0.001);
  EXPECT_TRUE(torch::allclose(early, adam, 0.0, 1e-6));  // epsilon enters at another place

  Tensor late = torch::zeros({1}, torch::kDouble).requires_grad_(true);
  auto end = Optimizer::Create(adabound, {{.name = "p", .value = late, .weight_decay = 0.0}});
  ASSERT_THAT(end, IsOk());
  (*end)->set_steps(100'000'000);
  (*end)->state()[0].value.fill_(2.0);  // the mean of gradients
  late.mutable_grad() = torch::full({1}, 2.0, torch::kDouble);
  (*end)->Step(0.001);
  EXPECT_NEAR(late.item<double>(), -0.1 * 2.0, 1e-4);
}

TEST(OptimizerTest, LeavesParametersWithoutAGradient) {
  const Tensor parameter = Parameter();
  Ours({}, parameter)->Step(0.1);
  EXPECT_TRUE(torch::equal(parameter, Parameter()));
}

TEST(OptimizerTest, RefusesWhatHasNoMeaning) {
  EXPECT_THAT(Optimizer::Create({.kind = "sgdd"}, {}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Optimizer::Create({.momentum = 1.0}, {}), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
