#include "face/network/inference_plan.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <variant>

#include "face/network/architecture.h"
#include "face/network/random_weights.h"
#include "face/network/shape_map.h"
#include "tests/support/small_transformer.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using network::InferencePlan;
using network::Step;
using ::testing::HasSubstr;

InferencePlan PlanOf(std::string_view architecture) {
  return network::PlanInference(DescribeArchitecture(architecture).value(),
                                RandomWeights(architecture, 1).value())
      .value();
}

// The plan of the same network with weights of zero, which are made faster.
InferencePlan EmptyPlanOf(const std::string& architecture) {
  const network::Description description = DescribeArchitecture(architecture).value();
  TensorMap tensors;
  for (const auto& [name, shape] : ShapesOf(description)) {
    const Tensor empty{.dtype = DType::kF32, .shape = shape, .bytes = {}};
    tensors[name] = empty;
    tensors[name].bytes.resize(static_cast<size_t>(empty.element_count()) * sizeof(float));
  }
  return network::PlanInference(description, tensors).value();
}

template <typename Kind>
size_t Count(const InferencePlan& plan) {
  return static_cast<size_t>(
      std::count_if(plan.steps.begin(), plan.steps.end(),
                    [](const Step& step) { return std::holds_alternative<Kind>(step.kind); }));
}

TEST(InferencePlanTest, HasAStepForEachConvolutionAndLinearLayerAlone) {
  const InferencePlan plan = PlanOf("iresnet-18");
  EXPECT_EQ(Count<network::ConvolutionStep>(plan), 1U + 8 * 2 + 4);
  EXPECT_EQ(Count<network::LinearStep>(plan), 1U);
  EXPECT_EQ(plan.steps.size(), 22U);
}

TEST(InferencePlanTest, KeepsTheNormsBeforePaddedConvolutionsAsSecondOutputs) {
  const InferencePlan plan = PlanOf("iresnet-18");
  EXPECT_EQ(std::count_if(plan.steps.begin(), plan.steps.end(),
                          [](const Step& step) { return step.scaled.has_value(); }),
            8);
  const InferencePlan mobile = PlanOf("mobilefacenet-128");
  EXPECT_TRUE(std::none_of(mobile.steps.begin(), mobile.steps.end(),
                           [](const Step& step) { return step.scaled.has_value(); }));
}

TEST(InferencePlanTest, AddsEachResidualInTheStepThatEndsIt) {
  for (const auto& [name, residuals] :
       {std::pair("iresnet-18", 8), {"irse-50", 24}, {"mobilefacenet-128", 12}}) {
    const InferencePlan plan = PlanOf(name);
    EXPECT_EQ(std::count_if(plan.steps.begin(), plan.steps.end(),
                            [](const Step& step) { return step.finish.added.has_value(); }),
              residuals)
        << name;
    EXPECT_EQ(Count<network::CopyStep>(plan), 0U) << name;
  }
}

TEST(InferencePlanTest, ReadsOnlyWhatEarlierStepsMade) {
  for (const std::string& name : ArchitectureNames()) {
    if (ParameterCount(name).value() > 45'000'000) continue;  // the same, and large
    const InferencePlan plan = EmptyPlanOf(name);
    std::vector<bool> made(plan.values, false);
    made.at(network::kInputValue) = true;
    for (const Step& step : plan.steps) {
      EXPECT_TRUE(made.at(step.from)) << name;
      if (step.finish.added.has_value()) {
        EXPECT_TRUE(made.at(*step.finish.added)) << name;
      }
      made.at(step.to) = true;
      if (step.scaled.has_value()) made.at(step.scaled->to) = true;
    }
    EXPECT_TRUE(made.at(plan.result)) << name;
  }
}

TEST(InferencePlanTest, AddsTheResidualsOfTokensInTheirLastLinearStep) {
  const InferencePlan plan =
      network::PlanInference(SmallTransformer(), RandomWeights(SmallTransformer(), 1)).value();
  EXPECT_EQ(Count<network::AttentionStep>(plan), 1U);
  EXPECT_EQ(Count<network::LayerNormStep>(plan), 3U);
  EXPECT_EQ(Count<network::LinearStep>(plan), 5U);
  EXPECT_EQ(Count<network::CopyStep>(plan), 0U);
}

TEST(InferencePlanTest, RefusesTensorsOfAnotherNetwork) {
  const auto plan = network::PlanInference(DescribeArchitecture("mobilefacenet-128").value(),
                                           RandomWeights("iresnet-18", 1).value());
  EXPECT_THAT(plan, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(plan.status())), HasSubstr("not those of mobilefacenet-128"));
}

TEST(InferencePlanTest, RefusesHalfPrecisionWeights) {
  TensorMap tensors = RandomWeights("mobilefacenet-128", 1).value();
  Tensor& first = tensors.begin()->second;
  first.dtype = DType::kF16;
  EXPECT_THAT(network::PlanInference(DescribeArchitecture("mobilefacenet-128").value(), tensors),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
