#include "trainer/run/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSteps = 1000;

// Returns what a guard says in a run whose loss and accuracy are functions of the batch.
template <typename Loss, typename Accuracy>
std::string WhatIsSaid(TrainingGuard& guard, Loss loss, Accuracy accuracy) {
  std::string said;
  for (int64_t batch = 0; batch < kSteps; ++batch) {
    report::StepRow row{.batch = batch};
    row.loss = loss(batch);
    row.accuracy = accuracy(batch);
    said += guard.Step(row).value_or("");
  }
  return said;
}

TEST(TrainingGuardTest, SaysNothingOfARunThatLearns) {
  TrainingGuard guard(100, 50);
  const std::string said = WhatIsSaid(
      guard, [](int64_t i) { return 20.0 / (1.0 + 0.01 * static_cast<double>(i)); },
      [](int64_t i) { return std::min(0.9, 0.002 * static_cast<double>(i)); });
  EXPECT_EQ(said, "");
  EXPECT_FALSE(guard.Evaluation({.set = "s", .accuracy = 0.9}).has_value());
}

TEST(TrainingGuardTest, SaysOnceThatAccuracyIsStuckAtChance) {
  TrainingGuard guard(100, 50);
  const std::string said = WhatIsSaid(
      guard, [](int64_t) { return 20.0; }, [](int64_t) { return 0.01; });
  EXPECT_THAT(said, HasSubstr("nothing is learned"));
  EXPECT_EQ(said.find("nothing is learned"), said.rfind("nothing is learned"));
}

// The loss fell, everybody was content, and the network told nobody apart any more.
TEST(TrainingGuardTest, SaysThatTheMarginIsEvaded) {
  TrainingGuard guard(80, 100);
  const std::string said = WhatIsSaid(
      guard, [](int64_t i) { return 12.0 - 0.005 * static_cast<double>(i); },
      [](int64_t i) { return i < 400 ? 0.4 : 0.09; });
  EXPECT_THAT(said, HasSubstr("has fallen from 40.0 %"));
  EXPECT_EQ(said.find("has fallen"), said.rfind("has fallen"));
}

TEST(TrainingGuardTest, SaysThatTheLossGrows) {
  TrainingGuard guard(10, 0);
  const std::string said = WhatIsSaid(
      guard, [](int64_t i) { return 2.0 + 0.02 * static_cast<double>(i); },
      [](int64_t) { return 0.9; });
  EXPECT_THAT(said, HasSubstr("learning rate is too high"));
}

TEST(TrainingGuardTest, SaysThatPairsStayAtACoinsToss) {
  TrainingGuard guard(10, 0);
  const report::EvaluationRow row{.set = "pairs", .accuracy = 0.5};
  EXPECT_FALSE(guard.Evaluation(row).has_value()) << "before anything was learned";
  WhatIsSaid(
      guard, [](int64_t) { return 1.0; }, [](int64_t) { return 0.95; });
  const auto said = guard.Evaluation(row);
  ASSERT_TRUE(said.has_value());
  EXPECT_THAT(*said, HasSubstr("by a coin"));
  EXPECT_FALSE(guard.Evaluation(row).has_value()) << "said once";
}

// Pictures of one colour, BGR.
class OneColour final : public Dataset {
 public:
  explicit OneColour(cv::Scalar colour) : colour_(std::move(colour)) {}
  size_t size() const override { return 60; }
  size_t classes() const override { return 1; }
  uint32_t label(size_t) const override { return 0; }
  std::string name(size_t) const override { return "one"; }
  StatusOr<cv::Mat> Load(size_t) const override { return cv::Mat(112, 112, CV_8UC3, colour_); }

 private:
  const cv::Scalar colour_;
};

// The channels of a photo were swapped by mirroring the wrong axis, or not at all, and nobody saw.
TEST(SwappedChannelsTest, NoticesBlueSkin) {
  EXPECT_FALSE(SwappedChannels(OneColour({110, 140, 190}), 50).has_value());
  EXPECT_FALSE(SwappedChannels(OneColour({140, 140, 140}), 50).has_value());
  const auto said = SwappedChannels(OneColour({190, 140, 110}), 50);
  ASSERT_TRUE(said.has_value());
  EXPECT_THAT(*said, HasSubstr("swapped"));
}

}  // namespace
}  // namespace facegate
