#include "trainer/learn/training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "face/base/file.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/learn/stripes.h"

namespace facegate {
namespace {

TEST(TrainingTest, LearnsToTellStripesApart) {
  const auto training = BeginTraining(StripesOptions());
  double first = 0.0;
  double last = 0.0;
  for (size_t step = 0; step < 30; ++step) {
    const StepReport report = LearnAt(*training, step);
    EXPECT_FALSE(report.skipped);
    (step < 5 ? first : last) += step < 5 || step >= 25 ? report.loss / 5.0 : 0.0;
  }
  EXPECT_LT(last, 0.7 * first);
  EXPECT_EQ(training->batches(), 30);
  EXPECT_EQ(training->updates(), 30);
}

TEST(TrainingTest, LearnsThatDegradedStrangersDiffer) {
  TrainingOptions options = StripesOptions();
  const auto loss = [&](double likeness, bool degraded) {
    options.likeness = likeness;
    Batch batch = StripesAt(0);
    // Two people whom a flaw has made the same.
    std::copy_n(batch.pixels.begin(), kStripeInput, batch.pixels.begin() + kStripeInput);
    batch.labels[1] = (batch.labels[0] + 1) % kStripeClasses;
    batch.degraded.assign(kStripeBatch, degraded);
    const auto report = BeginTraining(options)->Learn(batch);
    EXPECT_THAT(report, IsOk());
    return report->loss;
  };
  const double without = loss(0.0, true);
  EXPECT_EQ(loss(100.0, false), without);
  EXPECT_GT(loss(100.0, true), without);
}

// Everything that training learns: dropout, averages, gathered gradients, margins with a memory.
class ResumeTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ResumeTest, GoesOnToTheBit) {
  TrainingOptions options = StripesOptions();
  options.dropout = 0.4;
  options.ema_decay = 0.9;
  options.accumulate = 2;
  options.margin_warmup = 5;
  options.head.margin.kind = "curricularface";
  options.optimizer.kind = GetParam();
  options.optimizer.base_rate = 0.05;
  const TempDir dir;
  const auto whole = BeginTraining(options);
  for (size_t step = 0; step < 10; ++step) LearnAt(*whole, step);
  const auto before = BeginTraining(options);
  for (size_t step = 0; step < 4; ++step) LearnAt(*before, step);
  ASSERT_THAT(before->Save(dir.File("c"), {{"best", "0.5"}}), IsOk());
  TrainingOptions other = options;
  other.seed = options.seed;
  const auto after = BeginTraining(other);
  LearnAt(*after, 9);  // what it was before does not matter
  LearnAt(*after, 8);
  const auto facts = after->Resume(dir.File("c"));
  ASSERT_THAT(facts, IsOk());
  EXPECT_EQ(facts->at("best"), "0.5");
  EXPECT_EQ(after->batches(), 4);
  for (size_t step = 4; step < 10; ++step) LearnAt(*after, step);
  const auto expected = whole->Weights();
  const auto actual = after->Weights();
  ASSERT_TRUE(expected.ok() && actual.ok());
  EXPECT_TRUE(*expected == *actual);
}

INSTANTIATE_TEST_SUITE_P(Optimizers, ResumeTest, ::testing::ValuesIn(OptimizerKinds()),
                         [](const auto& kind) { return kind.param; });

TEST(TrainingTest, LeavesOutABatchThatIsNotFinite) {
  const auto training = BeginTraining(StripesOptions());
  for (size_t step = 0; step < 3; ++step) LearnAt(*training, step);
  const auto before = training->Weights();
  ASSERT_TRUE(before.ok());
  Batch broken = StripesAt(3);
  broken.pixels[100] = std::nanf("");
  const auto report = training->Learn(broken);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->skipped);
  const auto after = training->Weights();
  ASSERT_TRUE(after.ok());
  EXPECT_TRUE(*before == *after);
  EXPECT_EQ(training->updates(), 3);
  EXPECT_FALSE(LearnAt(*training, 4).skipped);
}

TEST(TrainingTest, TheAverageFollowsTheWeights) {
  TrainingOptions options = StripesOptions();
  options.ema_decay = 0.5;
  const auto averaged = BeginTraining(options);
  options.ema_decay = 0.0;
  const auto plain = BeginTraining(options);
  LearnAt(*averaged, 0);
  LearnAt(*plain, 0);
  const auto a = averaged->Weights();
  const auto b = plain->Weights();
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_FALSE(*a == *b);
  // Learning itself is not changed by it.
  EXPECT_EQ(LearnAt(*averaged, 1).loss, LearnAt(*plain, 1).loss);
}

// It held the random weights for the first thousands of updates, and none of the running
// statistics.
TEST(TrainingTest, TheAverageForgetsItsBeginningSoon) {
  TrainingOptions options = StripesOptions();
  options.ema_decay = 0.9999;
  const auto averaged = BeginTraining(options);
  options.ema_decay = 0.0;
  const auto plain = BeginTraining(options);
  const auto random = plain->Weights();
  ASSERT_TRUE(random.ok());
  for (size_t step = 0; step < 24; ++step) {
    LearnAt(*averaged, step);
    LearnAt(*plain, step);
  }
  const auto a = averaged->Weights();
  const auto b = plain->Weights();
  ASSERT_TRUE(a.ok() && b.ok());
  // Tells how much of the way from the random weights is left.
  const auto left = [&](const std::string& name) {
    const torch::Tensor begin = ToTorch(random->at(name)).value();
    const torch::Tensor end = ToTorch(b->at(name)).value();
    return ((ToTorch(a->at(name)).value() - end).norm() / (begin - end).norm()).item<double>();
  };
  EXPECT_LT(left("conv1.conv.weight"), 0.6);
  EXPECT_LT(left("conv1.bn.running_mean"), 0.6);
  EXPECT_GT(left("conv1.bn.running_mean"), 0.0);
}

TEST(TrainingTest, FreezesWeightsAndStatisticsByName) {
  TrainingOptions options = StripesOptions();
  options.freeze = {"conv1", "GDC_bn.weight"};
  const auto training = BeginTraining(options);
  const auto before = training->Weights();
  for (size_t step = 0; step < 2; ++step) LearnAt(*training, step);
  const auto after = training->Weights();
  ASSERT_TRUE(before.ok() && after.ok());
  for (const auto& [name, tensor] : *before) {
    const bool is_frozen = name.starts_with("conv1.") || name == "GDC_bn.weight";
    if (name == "GDC_bn.weight" || !name.starts_with("GDC_bn")) {
      EXPECT_EQ(after->at(name) == tensor, is_frozen) << name;
    }
  }
  options.freeze = {"conv"};  // not the name of a layer
  EXPECT_THAT(Training::Create(options), StatusIs(StatusCode::kInvalidArgument));
}

TEST(TrainingTest, TrainsTheBackboneAtItsOwnRate) {
  TrainingOptions options = StripesOptions();
  options.weight_decay = 0.0;
  options.clip_norm = 0.0;
  const auto change = [&](double rate) {
    options.backbone_rate = rate;
    const auto training = BeginTraining(options);
    const torch::Tensor before = ToTorch(training->Weights()->at("conv1.conv.weight")).value();
    LearnAt(*training, 0);
    return ToTorch(training->Weights()->at("conv1.conv.weight")).value() - before;
  };
  EXPECT_TRUE(torch::allclose(change(1.0) * 0.125, change(0.125), 1e-3, 1e-7));
}

TEST(TrainingTest, BeginsWithTheTensorsThatFit) {
  const auto trained = BeginTraining(StripesOptions());
  LearnAt(*trained, 0);
  const auto given = trained->Weights();
  ASSERT_THAT(given, IsOk());
  TensorMap weights;
  for (const auto& [name, tensor] : *given) weights["backbone." + name] = tensor;
  const size_t counters =
      static_cast<size_t>(std::count_if(weights.begin(), weights.end(), [](const auto& item) {
        return item.first.ends_with("num_batches_tracked");
      }));
  weights["head.weight"] = {.dtype = DType::kF32, .shape = {9, 128}, .bytes = {}};
  weights["backbone.other"] = {.dtype = DType::kF32, .shape = {1}, .bytes = std::string(4, 0)};
  weights.erase("backbone.conv1.conv.weight");
  TrainingOptions options = StripesOptions();
  options.seed = 9;
  options.ema_decay = 0.9;
  const auto training = BeginTraining(options);
  const auto taken = training->StartFrom(weights);
  ASSERT_THAT(taken, IsOk());
  EXPECT_EQ(taken->taken, weights.size() - counters - 2);
  EXPECT_THAT(taken->left, ::testing::ElementsAre("backbone.other [1]", "head.weight [9, 128]"));
  EXPECT_THAT(taken->missing, ::testing::ElementsAre("backbone.conv1.conv.weight", "head.weight"));
  EXPECT_TRUE(training->Weights()->at("GDC_bn.running_var") == given->at("GDC_bn.running_var"));
}

TEST(TrainingTest, RefusesToBeginWithNothingThatFits) {
  const TensorMap weights = {
      {"backbone.other", {.dtype = DType::kF32, .shape = {1}, .bytes = std::string(4, 0)}}};
  EXPECT_THAT(BeginTraining(StripesOptions())->StartFrom(weights),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(TrainingTest, RefusesACheckpointOfAnotherTraining) {
  const TempDir dir;
  const auto training = BeginTraining(StripesOptions());
  ASSERT_THAT(training->Save(dir.File("c"), {}), IsOk());
  TrainingOptions other = StripesOptions();
  other.head.classes = kStripeClasses + 1;
  EXPECT_THAT(BeginTraining(other)->Resume(dir.File("c")), StatusIs(StatusCode::kInvalidArgument));
  other = StripesOptions();
  other.optimizer.kind = "adam";
  EXPECT_THAT(BeginTraining(other)->Resume(dir.File("c")), StatusIs(StatusCode::kInvalidArgument));
  ASSERT_THAT(WriteFileAtomically(dir.File("d"), "no checkpoint"), IsOk());
  EXPECT_THAT(training->Resume(dir.File("d")), StatusIs(StatusCode::kInvalidArgument));
}

TEST(TrainingTest, AValidationChangesNothing) {
  TrainingOptions options = StripesOptions();
  options.head.margin.kind = "curricularface";
  options.ema_decay = 0.5;
  const auto plain = BeginTraining(options);
  const auto validated = BeginTraining(options);
  for (size_t step = 0; step < 4; ++step) {
    EXPECT_EQ(LearnAt(*validated, step).loss, LearnAt(*plain, step).loss) << step;
    EXPECT_THAT(validated->Validate(StripesAt(99)), IsOk());
  }
}

TEST(TrainingTest, AValidationOfNumbersThatAreNotFiniteFindsNoClass) {
  const auto training = BeginTraining(StripesOptions());
  Batch batch = StripesAt(1);
  batch.pixels.assign(batch.pixels.size(), std::numeric_limits<float>::quiet_NaN());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ValidationSums sums, training->Validate(batch));
  EXPECT_TRUE(std::isnan(sums.loss));
  EXPECT_THAT(sums.among, ::testing::Each(0)) << "of four classes, but among ten";
}

// Losses of a margin that still grows are not comparable.
TEST(TrainingTest, AValidationHasTheWholeMargin) {
  TrainingOptions options = StripesOptions();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ValidationSums whole,
                                BeginTraining(options)->Validate(StripesAt(1)));
  options.margin_warmup = 10;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ValidationSums growing,
                                BeginTraining(options)->Validate(StripesAt(1)));
  EXPECT_EQ(growing.loss, whole.loss);
}

TEST(TrainingTest, AValidationSaysWhichClassesAreNearest) {
  TrainingOptions options = StripesOptions();
  // Batches of four have other statistics than the running ones; these stay as they are.
  options.freeze = {"backbone"};
  const auto training = BeginTraining(options);
  const auto validate = [&] {
    ValidationSums all;
    for (size_t step = 90; step < 96; ++step) {
      const auto sums = training->Validate(StripesAt(step));
      EXPECT_THAT(sums, IsOk());
      all.photos += sums->photos;
      all.loss += sums->loss;
      for (size_t i = 0; i < all.among.size(); ++i) all.among[i] += sums->among[i];
    }
    return all;
  };
  const ValidationSums before = validate();
  for (size_t step = 0; step < 40; ++step) LearnAt(*training, step);
  const ValidationSums after = validate();
  EXPECT_EQ(after.photos, 24);
  EXPECT_LT(after.loss, before.loss);
  EXPECT_GT(after.among[0], 12) << "by chance it were 6";
  EXPECT_GT(after.among[1], after.among[0]);
  EXPECT_EQ(after.among[2], 24) << "there are four classes";
}

TEST(TrainingTest, EmbedsAsTheNetworkInUse) {
  const auto training = BeginTraining(StripesOptions());
  for (size_t step = 0; step < 2; ++step) LearnAt(*training, step);
  const Batch batch = StripesAt(9);
  const std::vector<float> both = training->Embed(batch.pixels, kStripeBatch);
  ASSERT_EQ(both.size(), static_cast<size_t>(kStripeBatch) * 128);
  // Each photo alone: nothing depends on the batch that it came in.
  const std::vector<float> alone =
      training->Embed(std::span(batch.pixels).subspan(kStripeInput, kStripeInput), 1);
  for (size_t i = 0; i < 128; ++i) EXPECT_NEAR(alone[i], both[128 + i], 1e-4);
}

TEST(TrainingTest, RefusesWhatHasNoMeaning) {
  const auto refused = [](const TrainingOptions& options) {
    EXPECT_THAT(Training::Create(options), StatusIs(StatusCode::kInvalidArgument));
  };
  TrainingOptions options = StripesOptions();
  options.accumulate = 0;
  refused(options);
  options = StripesOptions();
  options.ema_decay = 1.0;
  refused(options);
  options = StripesOptions();
  options.architecture = "resnet";
  refused(options);
}

}  // namespace
}  // namespace facegate
