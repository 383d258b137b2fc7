#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/weights/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/learn/stripes.h"

namespace facegate {
namespace {

// Everything that a checkpoint holds: weights, running statistics, margins, optimiser, averages.
TensorMap StateOf(Training& training) {
  const TempDir dir;
  EXPECT_THAT(training.Save(dir.File("c"), {}), IsOk());
  auto file = ParseSafetensors(ReadFile(dir.File("c"), 1 << 30).value());
  EXPECT_THAT(file, IsOk());
  return file.ok() ? std::move(file->tensors) : TensorMap{};
}

std::vector<std::string> Differences(const TensorMap& one, const TensorMap& other) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : one) {
    if (!other.contains(name) || !(other.at(name) == tensor)) names.push_back(name);
  }
  return names;
}

void LearnNotANumber(Training& training, size_t step) {
  Batch batch = StripesAt(step);
  batch.pixels[100] = std::nanf("");
  const auto report = training.Learn(batch);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->skipped);
}

// A finite loss whose gradient is too large for a float: photos without a difference, which the
// last batch norms divide by next to nothing, and a weight near the largest number.
void LearnTooSteep(Training& training, size_t step) {
  Batch batch = StripesAt(step);
  for (size_t i = kStripeInput; i < batch.pixels.size(); ++i) {
    batch.pixels[i] = batch.pixels[i % kStripeInput];
  }
  std::vector<float> targets;
  targets.reserve(kStripeBatch * 128);
  for (int i = 0; i < kStripeBatch * 128; ++i) targets.push_back(std::cos(static_cast<float>(i)));
  const auto report = training.Learn(batch, {.embeddings = targets});
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->skipped);
  EXPECT_TRUE(std::isfinite(report->loss));
  EXPECT_FALSE(std::isfinite(report->gradient_norm));
}

// Every margin, and what else a head and a loss can be.
class SkippedBatchTest : public ::testing::TestWithParam<std::string> {
 protected:
  static TrainingOptions Options(int64_t accumulate) {
    TrainingOptions options = StripesOptions();
    options.accumulate = accumulate;
    options.ema_decay = 0.9;
    const std::string& kind = GetParam();
    if (kind == "linear") {
      options.head.linear = true;
    } else if (kind == "sub_centers") {
      options.head.sub_centers = 2;
    } else if (kind == "focal") {
      options.loss.focal_gamma = 2.0;
    } else if (kind == "smoothed") {
      options.loss.label_smoothing = 0.1;
    } else {
      options.head.margin.kind = kind;
    }
    return options;
  }
};

std::vector<std::string> HeadsAndLosses() {
  std::vector<std::string> kinds = MarginKinds();
  kinds.insert(kinds.end(), {"linear", "sub_centers", "focal", "smoothed"});
  return kinds;
}

TEST_P(SkippedBatchTest, IsAsIfItHadNotBeenThere) {
  const auto skipping = BeginTraining(Options(1));
  const auto without = BeginTraining(Options(1));
  LearnAt(*skipping, 0);
  LearnNotANumber(*skipping, 1);
  LearnAt(*skipping, 2);
  for (const size_t step : {0, 2}) LearnAt(*without, step);
  EXPECT_THAT(Differences(StateOf(*skipping), StateOf(*without)), ::testing::IsEmpty());
}

TEST_P(SkippedBatchTest, LeavesItsGroupToTheOthers) {
  for (size_t place = 0; place < 3; ++place) {
    const auto skipping = BeginTraining(Options(3));
    const auto without = BeginTraining(Options(2));
    for (size_t step = 0; step < 3; ++step) {
      if (step == place) {
        LearnNotANumber(*skipping, step);
      } else {
        LearnAt(*skipping, step);
        LearnAt(*without, step);
      }
    }
    EXPECT_EQ(skipping->updates(), 1);
    EXPECT_THAT(Differences(StateOf(*skipping), StateOf(*without)), ::testing::IsEmpty()) << place;
  }
}

INSTANTIATE_TEST_SUITE_P(Heads, SkippedBatchTest, ::testing::ValuesIn(HeadsAndLosses()),
                         [](const auto& kind) { return kind.param; });

TEST(SkippedGradientTest, LeavesItsGroupToTheOthers) {
  TrainingOptions options = StripesOptions();
  options.distillation = 2e38;
  for (size_t place = 0; place < 3; ++place) {
    options.accumulate = 3;
    const auto skipping = BeginTraining(options);
    options.accumulate = 2;
    const auto without = BeginTraining(options);
    for (size_t step = 0; step < 3; ++step) {
      if (step == place) {
        LearnTooSteep(*skipping, step);
      } else {
        LearnAt(*skipping, step);
        LearnAt(*without, step);
      }
    }
    EXPECT_THAT(Differences(StateOf(*skipping), StateOf(*without)), ::testing::IsEmpty()) << place;
  }
}

TEST(SkippedGroupTest, ChangesNothing) {
  TrainingOptions options = StripesOptions();
  options.accumulate = 3;
  options.head.margin.kind = "adaface";
  const auto training = BeginTraining(options);
  for (size_t step = 0; step < 3; ++step) LearnAt(*training, step);
  const TensorMap before = StateOf(*training);
  for (size_t step = 3; step < 6; ++step) LearnNotANumber(*training, step);
  EXPECT_EQ(training->updates(), 1);
  EXPECT_THAT(Differences(before, StateOf(*training)), ::testing::IsEmpty());
}

// Gradients of a group whose last batch was skipped joined the next group, and a checkpoint in
// between lost them.
TEST(SkippedGroupTest, IsSavedWhole) {
  TrainingOptions options = StripesOptions();
  options.accumulate = 2;
  options.head.margin.kind = "curricularface";
  const TempDir dir;
  const auto whole = BeginTraining(options);
  LearnAt(*whole, 0);
  LearnNotANumber(*whole, 1);
  ASSERT_THAT(whole->Save(dir.File("c"), {}), IsOk());
  const auto resumed = BeginTraining(options);
  ASSERT_THAT(resumed->Resume(dir.File("c")), IsOk());
  StepReport expected;
  StepReport actual;
  for (size_t step = 2; step < 4; ++step) {
    expected = LearnAt(*whole, step);
    actual = LearnAt(*resumed, step);
  }
  EXPECT_EQ(actual.gradient_norm, expected.gradient_norm);
  EXPECT_THAT(Differences(StateOf(*whole), StateOf(*resumed)), ::testing::IsEmpty());
}

// The first batch after a checkpoint may say nothing to the head: its gradient was then absent in
// one training and zero, which decays its weights, in the other.
TEST(ResumedBatchTest, WithoutLabelsLeavesTheHeadAlone) {
  const std::vector<float> targets(kStripeBatch * 128, 1.0F);
  Batch unlabelled = StripesAt(1);
  unlabelled.labels.assign(kStripeBatch, Batch::kUnlabelled);
  const TempDir dir;
  const auto whole = BeginTraining(StripesOptions());
  LearnAt(*whole, 0);
  ASSERT_THAT(whole->Save(dir.File("c"), {}), IsOk());
  const auto resumed = BeginTraining(StripesOptions());
  ASSERT_THAT(resumed->Resume(dir.File("c")), IsOk());
  for (const auto& training : {whole.get(), resumed.get()}) {
    ASSERT_THAT(training->Learn(unlabelled, {.embeddings = targets}), IsOk());
  }
  EXPECT_THAT(Differences(StateOf(*whole), StateOf(*resumed)), ::testing::IsEmpty());
}

}  // namespace
}  // namespace facegate
