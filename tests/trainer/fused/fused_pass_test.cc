// The same pass with each instruction set that this processor has.
#include "trainer/fused/fused_pass.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace facegate {
namespace {

using Floats = std::vector<float>;

Floats Random(size_t count, std::minstd_rand& random, float least, float most) {
  std::uniform_real_distribution<float> between(least, most);
  Floats values(count);
  for (float& value : values) value = between(random);
  return values;
}

// A picture's stage, a residual unit and a kernel over everything.
std::vector<Stage> Stages() {
  return {
      {.kind = StageKind::kPicture,
       .in = 3,
       .out = 48,
       .kernel = 3,
       .stride = 2,
       .padding = 1,
       .activated = true},
      {.in = 48, .out = 80, .activated = true},
      {.kind = StageKind::kDepthwise,
       .in = 80,
       .out = 80,
       .kernel = 3,
       .padding = 1,
       .activated = true},
      {.in = 80, .out = 48, .added = 0},
      {.kind = StageKind::kDepthwise, .in = 48, .out = 48, .kernel = 7},
  };
}

constexpr Extent kInput{.height = 13, .width = 14};

struct StageData {
  Floats weight, gamma, beta, slope, mean, variance;
  Floats weight_gradient, gamma_gradient, beta_gradient, slope_gradient;
};

// All numbers that a pass gives.
Floats Learn(const SimdKernels& kernels, int64_t batch) {
  std::minstd_rand random(17);
  const std::vector<Stage> stages = Stages();
  std::vector<StageData> data(stages.size());
  std::vector<StageWeights> weights;
  std::vector<StageGradients> gradients;
  for (size_t i = 0; i < stages.size(); ++i) {
    const Stage& stage = stages[i];
    StageData& own = data[i];
    const auto out = static_cast<size_t>(stage.out);
    const int64_t inputs = stage.kind == StageKind::kDepthwise ? 1 : stage.in;
    const auto size = static_cast<size_t>(stage.out * stage.kernel * stage.kernel * inputs);
    own.weight = Random(size, random, -0.2F, 0.2F);
    own.gamma = Random(out, random, 0.5F, 1.5F);
    own.beta = Random(out, random, -0.5F, 0.5F);
    own.slope = Random(out, random, 0.1F, 0.4F);
    own.mean.assign(out, 0.0F);
    own.variance.assign(out, 1.0F);
    own.weight_gradient.resize(size);
    own.gamma_gradient.resize(out);
    own.beta_gradient.resize(out);
    own.slope_gradient.resize(out);
    weights.push_back({.weight = own.weight.data(),
                       .gamma = own.gamma.data(),
                       .beta = own.beta.data(),
                       .slope = stage.activated ? own.slope.data() : nullptr,
                       .running_mean = own.mean.data(),
                       .running_var = own.variance.data()});
    gradients.push_back({.weight = own.weight_gradient.data(),
                         .gamma = own.gamma_gradient.data(),
                         .beta = own.beta_gradient.data(),
                         .slope = stage.activated ? own.slope_gradient.data() : nullptr});
  }
  const Floats input = Random(static_cast<size_t>(batch * kInput.area() * 3), random, -1.0F, 1.0F);
  const Floats output_gradient = Random(static_cast<size_t>(batch * 48), random, -1.0F, 1.0F);
  Floats all(output_gradient.size());
  FusedPass pass({.stages = stages, .extents = *Extents(stages, kInput), .batch = batch}, kernels);
  OneWorker worker;
  pass.Forward(input.data(), weights, all.data(), worker);
  pass.Backward(input.data(), weights, output_gradient.data(), gradients, nullptr, worker);
  for (const StageData& own : data) {
    for (const Floats* numbers : {&own.mean, &own.variance, &own.weight_gradient,
                                  &own.gamma_gradient, &own.beta_gradient, &own.slope_gradient}) {
      all.insert(all.end(), numbers->begin(), numbers->end());
    }
  }
  return all;
}

class SimdKernelsTest : public ::testing::TestWithParam<size_t> {};

TEST_P(SimdKernelsTest, GiveWhatPortableOnesGive) {
  for (const int64_t batch : {3, 4, 20}) {
    const Floats expected = Learn(PortableKernels(), batch);
    const Floats actual = Learn(UsableSimdKernels()[GetParam()], batch);
    ASSERT_EQ(actual.size(), expected.size());
    double squares = 0.0;
    double apart = 0.0;
    for (size_t i = 0; i < actual.size(); ++i) {
      const auto value = static_cast<double>(expected[i]);
      squares += value * value;
      apart += std::pow(static_cast<double>(actual[i]) - value, 2);
    }
    EXPECT_GT(squares, 1.0);
    EXPECT_LT(std::sqrt(apart / squares), 2e-5) << "batch of " << batch;
  }
}

INSTANTIATE_TEST_SUITE_P(Usable, SimdKernelsTest,
                         ::testing::Range<size_t>(0, UsableSimdKernels().size()),
                         [](const auto& tested) {
                           return std::string(UsableSimdKernels()[tested.param].name);
                         });

TEST(SimdKernelsTest, PortableOnesAreAlwaysThere) {
  EXPECT_EQ(UsableSimdKernels().back().name, "portable");
}

TEST(StageTest, RefusesPicturesSmallerThanTheKernel) {
  const std::vector<Stage> stages = {
      {.kind = StageKind::kDepthwise, .in = 16, .out = 16, .kernel = 7}};
  EXPECT_FALSE(Extents(stages, {.height = 6, .width = 9}).has_value());
  const auto extents = Extents(stages, {.height = 7, .width = 9});
  ASSERT_TRUE(extents.has_value());
  EXPECT_EQ(extents->back(), (Extent{.height = 1, .width = 3}));
}

}  // namespace
}  // namespace facegate
