#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/weights/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/learn/fake_card.h"
#include "tests/trainer/learn/stripes.h"
#include "tests/trainer/parallel/group_of_threads.h"

namespace facegate {
namespace {

constexpr size_t kSteps = 4;

// The part of a process of a batch.
Batch PartAt(size_t step, const ProcessGroup& group) {
  Batch batch = StripesAt(step);
  const auto own = static_cast<size_t>(kStripeBatch / group.size());
  const size_t begin = own * static_cast<size_t>(group.rank());
  batch.pixels = {batch.pixels.begin() + static_cast<int64_t>(begin * kStripeInput),
                  batch.pixels.begin() + static_cast<int64_t>((begin + own) * kStripeInput)};
  batch.labels = {batch.labels.begin() + static_cast<int64_t>(begin),
                  batch.labels.begin() + static_cast<int64_t>(begin + own)};
  batch.photos.resize(own);
  return batch;
}

StatusOr<TensorMap> TensorsOf(const std::string& checkpoint) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(checkpoint, 1 << 30));
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
  return std::move(file.tensors);
}

// The largest difference of two numbers of the same place; infinite where names or shapes differ.
double LargestDifference(const TensorMap& one, const TensorMap& other) {
  double largest = one.size() == other.size() ? 0.0 : INFINITY;
  for (const auto& [name, tensor] : one) {
    const auto found = other.find(name);
    if (found == other.end() || found->second.shape != tensor.shape) return INFINITY;
    // Those of the optimiser are sums of gradients that are a hundred times as large.
    if (tensor.dtype != DType::kF32 || name.starts_with("optimizer.")) continue;
    for (size_t at = 0; at < tensor.bytes.size(); at += sizeof(float)) {
      float a = 0.0F;
      float b = 0.0F;
      std::memcpy(&a, tensor.bytes.data() + at, sizeof(float));
      std::memcpy(&b, found->second.bytes.data() + at, sizeof(float));
      largest = std::max(largest, std::abs(static_cast<double>(a) - static_cast<double>(b)));
    }
  }
  return largest;
}

std::unique_ptr<Training> Begin(const TrainingOptions& options,
                                const std::shared_ptr<ProcessGroup>& group) {
  auto training = Training::Create(options, group);
  EXPECT_THAT(training, IsOk());
  return *std::move(training);
}

class ParallelTrainingTest : public WithGloo {
 protected:
  static TrainingOptions Options() {
    TrainingOptions options = StripesOptions();
    options.schedule.base = 1e-3;
    options.fused = false;
    return options;
  }
  static std::vector<std::string> NormNames() {
    const auto names = BeginTraining(StripesOptions())->Weights();
    std::vector<std::string> norms;
    for (const auto& [name, tensor] : *names) {
      constexpr std::string_view kEnding = ".running_mean";
      if (name.ends_with(kEnding)) norms.push_back(name.substr(0, name.size() - kEnding.size()));
    }
    return norms;
  }

  // Learns all batches in one process.
  TensorMap Whole(const TrainingOptions& options) {
    const auto training = Begin(options, nullptr);
    for (size_t step = 0; step < kSteps; ++step) losses_.push_back(LearnAt(*training, step).loss);
    EXPECT_THAT(training->Save(dir_.File("whole"), {}), IsOk());
    return TensorsOf(dir_.File("whole")).value();
  }
  // The same in two.
  TensorMap Parts(const TrainingOptions& options) {
    InGroup(2, [&](const auto& group) {
      const auto training = Begin(options, group);
      for (size_t step = 0; step < kSteps; ++step) {
        const auto report = training->Learn(PartAt(step, *group));
        ASSERT_THAT(report, IsOk());
        if (group->rank() == 0) norms_.push_back(report->gradient_norm);
        if (losses_.empty()) continue;
        EXPECT_NEAR(report->loss, losses_[step], 1e-5 * losses_[step]);
      }
      EXPECT_THAT(training->Save(dir_.File("parts"), {}), IsOk());
    });
    return TensorsOf(dir_.File("parts")).value();
  }

  // The same where each has a card, which a fake stands for.
  TensorMap PartsOnCards(const TrainingOptions& options) {
    InGroup(2, [&](const auto& group) {
      FakeCard::Calls calls;
      const auto training = Training::CreateOn(std::make_shared<FakeCard>(calls), options, group);
      ASSERT_THAT(training, IsOk());
      for (size_t step = 0; step < kSteps; ++step) {
        const auto report = (*training)->Learn(PartAt(step, *group));
        ASSERT_THAT(report, IsOk());
        EXPECT_NEAR(report->gradient_norm, norms_[step], 1e-5 * norms_[step]);
        EXPECT_EQ(report->note, "");
      }
      EXPECT_EQ(calls.recordings, 0);
      EXPECT_THAT((*training)->Save(dir_.File("cards"), {}), IsOk());
    });
    return TensorsOf(dir_.File("cards")).value();
  }

  const TempDir dir_;
  std::vector<double> losses_;
  std::vector<double> norms_;  // of Parts()
};

TEST_F(ParallelTrainingTest, TwoHalvesOfSeveralBatchesAreTheWhole) {
  TrainingOptions options = Options();
  options.accumulate = 2;
  options.ema_decay = 0.9;
  options.freeze = NormNames();
  const TensorMap whole = Whole(options);
  EXPECT_LT(LargestDifference(Parts(options), whole), 1e-5);
}

TEST_F(ParallelTrainingTest, LearnsTheSameOnCards) {
  TrainingOptions options = Options();
  options.clip_norm = 0.0;
  const TensorMap on_cpus = Parts(options);
  EXPECT_EQ(LargestDifference(PartsOnCards(options), on_cpus), 0.0);
}

TEST_F(ParallelTrainingTest, ABatchThatOneCannotLearnIsSkippedByAllCards) {
  InGroup(2, [&](const auto& group) {
    FakeCard::Calls calls;
    const auto training = Training::CreateOn(std::make_shared<FakeCard>(calls), Options(), group);
    ASSERT_THAT(training, IsOk());
    Batch batch = PartAt(0, *group);
    if (group->rank() == 1) batch.pixels[100] = std::nanf("");
    EXPECT_TRUE((*training)->Learn(batch)->skipped);
    EXPECT_FALSE((*training)->Learn(PartAt(1, *group))->skipped);
  });
}

TEST_F(ParallelTrainingTest, RecomputesToTheSameBits) {
  TrainingOptions options = Options();
  const TensorMap kept = Parts(options);
  options.recompute = true;
  EXPECT_EQ(LargestDifference(Parts(options), kept), 0.0);
}

TEST_F(ParallelTrainingTest, NarrowGradientsLearnNearlyTheSame) {
  TrainingOptions options = Options();
  options.freeze = NormNames();
  const TensorMap whole = Parts(options);
  options.narrow_gradients = true;
  const double difference = LargestDifference(Parts(options), whole);
  EXPECT_GT(difference, 0.0);
  EXPECT_LT(difference, 1e-4);
}

TEST_F(ParallelTrainingTest, ABatchThatOneCannotLearnIsSkippedByAll) {
  InGroup(2, [&](const auto& group) {
    const auto training = Begin(Options(), group);
    Batch batch = PartAt(0, *group);
    if (group->rank() == 1) batch.pixels[100] = std::nanf("");
    const auto report = training->Learn(batch);
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->skipped);
    EXPECT_FALSE(training->Learn(PartAt(1, *group))->skipped);
  });
}

TEST_F(ParallelTrainingTest, ACheckpointOfTwoGoesOnInOneAndInTwo) {
  InGroup(2, [&](const auto& group) {
    const auto training = Begin(Options(), group);
    EXPECT_THAT(training->Learn(PartAt(0, *group)), IsOk());
    EXPECT_THAT(training->Save(dir_.File("checkpoint"), {{"said", "so"}}), IsOk());
  });
  const auto one = Begin(Options(), nullptr);
  ASSERT_THAT(one->Resume(dir_.File("checkpoint")), IsOk());
  EXPECT_THAT(one->Save(dir_.File("one"), {{"said", "so"}}), IsOk());
  InGroup(2, [&](const auto& group) {
    const auto training = Begin(Options(), group);
    ASSERT_THAT(training->Resume(dir_.File("checkpoint")), IsOk());
    EXPECT_THAT(training->Save(dir_.File("two"), {{"said", "so"}}), IsOk());
  });
  const auto before = ReadFile(dir_.File("checkpoint"), 1 << 30);
  EXPECT_EQ(ReadFile(dir_.File("one"), 1 << 30).value(), before.value());
  EXPECT_EQ(ReadFile(dir_.File("two"), 1 << 30).value(), before.value());
}

TEST_F(ParallelTrainingTest, BeginsWithTheHeadOfGivenWeights) {
  TrainingOptions other = Options();
  other.seed = 5;
  other.head.seed = 5;
  EXPECT_THAT(Begin(other, nullptr)->Save(dir_.File("given"), {}), IsOk());
  const TensorMap given = TensorsOf(dir_.File("given")).value();
  InGroup(2, [&](const auto& group) {
    const auto training = Begin(Options(), group);
    ASSERT_THAT(training->StartFrom(given), IsOk());
    EXPECT_THAT(training->Save(dir_.File("begun"), {}), IsOk());
  });
  EXPECT_EQ(TensorsOf(dir_.File("begun"))->at("head.weight"), given.at("head.weight"));
}

TEST_F(ParallelTrainingTest, RefusesWhatNeedsTheWholeBatchOnACard) {
  InGroup(2, [&](const auto& group) {
    TrainingOptions options = Options();
    options.likeness = 1.0;
    EXPECT_THAT(Training::Create(options, group), StatusIs(StatusCode::kInvalidArgument));
  });
}

}  // namespace
}  // namespace facegate
