// Training on a card, which a fake stands for: the same code, on the CPU.
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/learn/fake_card.h"
#include "tests/trainer/learn/stripes.h"
#include "trainer/learn/card_failure.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Without what rounds otherwise on a card: fused stages, and a norm in fp32 that clips.
TrainingOptions CardOptions() {
  TrainingOptions options = StripesOptions();
  options.fused = false;
  options.clip_norm = 0.0;
  options.ema_decay = 0.0;
  return options;
}

std::unique_ptr<Training> BeginOnCard(const TrainingOptions& options, FakeCard::Calls& calls) {
  auto training = Training::CreateOn(std::make_unique<FakeCard>(calls), options);
  EXPECT_THAT(training, IsOk());
  return *std::move(training);
}

std::string CheckpointOf(Training& training) {
  const TempDir dir;
  EXPECT_THAT(training.Save(dir.File("c"), {}), IsOk());
  return ReadFile(dir.File("c"), 1 << 30).value();
}

Batch NotANumberAt(size_t step) {
  Batch batch = StripesAt(step);
  batch.pixels[100] = std::nanf("");
  return batch;
}

class CardTrainingTest : public ::testing::TestWithParam<std::string> {
 protected:
  static TrainingOptions Options() {
    TrainingOptions options = CardOptions();
    options.head.margin.kind = GetParam();
    return options;
  }
};

// A fake's steps are the CPU's to the bit, whether they are replayed or not, but for the figure of
// the norm.
TEST_P(CardTrainingTest, LearnsAsOnTheCpu) {
  FakeCard::Calls calls;
  const auto on_card = BeginOnCard(Options(), calls);
  const auto on_cpu = BeginTraining(Options());
  for (size_t step = 0; step < 5; ++step) {
    const StepReport actual = LearnAt(*on_card, step);
    const StepReport expected = LearnAt(*on_cpu, step);
    EXPECT_EQ(actual.loss, expected.loss);
    EXPECT_EQ(actual.accuracy, expected.accuracy);
    EXPECT_NEAR(actual.gradient_norm, expected.gradient_norm, 1e-4 * expected.gradient_norm);
    EXPECT_THAT(actual.note, IsEmpty());
  }
  EXPECT_TRUE(*on_card->Weights() == *on_cpu->Weights());
}

TEST_P(CardTrainingTest, SkipsABatchAsIfItHadNotBeenThere) {
  FakeCard::Calls calls;
  const auto skipping = BeginOnCard(Options(), calls);
  const auto without = BeginOnCard(Options(), calls);
  for (size_t step = 0; step < 6; ++step) {
    if (step == 1 || step == 4) {  // by itself, and replayed
      const auto report = skipping->Learn(NotANumberAt(step));
      ASSERT_THAT(report, IsOk());
      EXPECT_TRUE(report->skipped);
    } else {
      LearnAt(*skipping, step);
      LearnAt(*without, step);
    }
  }
  EXPECT_TRUE(*skipping->Weights() == *without->Weights());
}

// One whose operators never change, those that keep numbers, and one that computes with them.
INSTANTIATE_TEST_SUITE_P(Margins, CardTrainingTest,
                         ::testing::Values("arcface", "adaface", "curricularface", "sphereface"),
                         [](const auto& kind) { return kind.param; });

TEST(CardRecordingTest, ReplaysStepsOnceTheyRepeat) {
  FakeCard::Calls calls;
  const auto training = BeginOnCard(CardOptions(), calls);
  for (size_t step = 0; step < 6; ++step) LearnAt(*training, step);
  EXPECT_EQ(calls.recordings, 1);
  EXPECT_EQ(calls.replays, 3) << "three steps come before";
}

TEST(CardRecordingTest, LeavesOtherBatchesToTheOperators) {
  FakeCard::Calls calls;
  const auto training = BeginOnCard(CardOptions(), calls);
  const auto on_cpu = BeginTraining(CardOptions());
  for (size_t step = 0; step < 6; ++step) {
    Batch batch = StripesAt(step);
    if (step == 4) batch.labels[0] = Batch::kUnlabelled;
    ASSERT_THAT(training->Learn(batch), IsOk());
    ASSERT_THAT(on_cpu->Learn(batch), IsOk());
  }
  EXPECT_EQ(calls.replays, 2);
  EXPECT_TRUE(*training->Weights() == *on_cpu->Weights());
}

TEST(CardRecordingTest, WaitsUntilTheMarginHasItsStrength) {
  FakeCard::Calls calls;
  TrainingOptions options = CardOptions();
  options.margin_warmup = 100;
  const auto training = BeginOnCard(options, calls);
  for (size_t step = 0; step < 5; ++step) LearnAt(*training, step);
  EXPECT_EQ(calls.recordings, 0);
}

TEST(CardRecordingTest, IsLeftOutWhereItIsNotWanted) {
  FakeCard::Calls calls;
  TrainingOptions options = CardOptions();
  options.cuda_graph = false;
  const auto training = BeginOnCard(options, calls);
  for (size_t step = 0; step < 5; ++step) LearnAt(*training, step);
  EXPECT_EQ(calls.recordings, 0);
}

TEST(CardRecordingTest, GoesOnWithoutAndSaysSoOnceWhereItFails) {
  FakeCard::Calls calls{.refuses_to_record = true};
  const auto training = BeginOnCard(CardOptions(), calls);
  const auto on_cpu = BeginTraining(CardOptions());
  std::vector<std::string> notes;
  for (size_t step = 0; step < 6; ++step) {
    if (const StepReport report = LearnAt(*training, step); !report.note.empty()) {
      notes.push_back(report.note);
    }
    LearnAt(*on_cpu, step);
  }
  EXPECT_THAT(notes, ::testing::ElementsAre(HasSubstr("no graphs today")));
  EXPECT_TRUE(*training->Weights() == *on_cpu->Weights());
}

TEST(CardCheckpointTest, HasTheBytesOfOneOfTheCpu) {
  FakeCard::Calls calls;
  TrainingOptions options = CardOptions();
  options.head.margin.kind = "adaface";
  const auto training = BeginOnCard(options, calls);
  EXPECT_TRUE(CheckpointOf(*training) == CheckpointOf(*BeginTraining(options)));
}

TEST(CardCheckpointTest, LetsTheCpuGoOn) {
  FakeCard::Calls calls;
  TrainingOptions options = CardOptions();
  options.accumulate = 2;
  options.optimizer.kind = "adamw";
  const auto before = BeginOnCard(options, calls);
  for (size_t step = 0; step < 4; ++step) LearnAt(*before, step);
  const TempDir dir;
  ASSERT_THAT(before->Save(dir.File("c"), {}), IsOk());
  const auto after = BeginTraining(options);
  ASSERT_THAT(after->Resume(dir.File("c")), IsOk());
  for (size_t step = 4; step < 6; ++step) {
    LearnAt(*before, step);
    LearnAt(*after, step);
  }
  EXPECT_TRUE(*before->Weights() == *after->Weights());
}

TEST(CardShippingTest, LearnsFromABatchThatWasShippedAhead) {
  FakeCard::Calls calls;
  const auto training = BeginOnCard(CardOptions(), calls);
  const auto on_cpu = BeginTraining(CardOptions());
  std::optional<ShippedBatch> shipped;
  {
    const Batch batch = StripesAt(0);
    shipped = training->Ship(batch).value();
  }
  const Batch batch = StripesAt(0);
  EXPECT_EQ(training->Learn(batch, {}, shipped)->loss, LearnAt(*on_cpu, 0).loss);
  EXPECT_EQ(calls.shipments, 1);
}

TEST(CardAverageTest, IsNearThatOfTheCpu) {
  FakeCard::Calls calls;
  TrainingOptions options = CardOptions();
  options.ema_decay = 0.9;
  const auto training = BeginOnCard(options, calls);
  const auto on_cpu = BeginTraining(options);
  for (size_t step = 0; step < 3; ++step) {
    LearnAt(*training, step);
    LearnAt(*on_cpu, step);
  }
  const Batch batch = StripesAt(9);
  const std::vector<float> actual = training->Embed(batch.pixels, kStripeBatch);
  const std::vector<float> expected = on_cpu->Embed(batch.pixels, kStripeBatch);
  // Running statistics of so few batches make large numbers.
  const float largest = *std::max_element(expected.begin(), expected.end());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-4F * largest);
  }
}

TEST(CardErrorTest, SaysThatTheBatchIsTooLarge) {
  FakeCard::Calls calls;
  const auto training = BeginOnCard(CardOptions(), calls);
  calls.fail = [] {
    throw c10::OutOfMemoryError({__func__, __FILE__, __LINE__}, "CUDA out of memory");
  };
  const auto report = training->Learn(StripesAt(0));
  EXPECT_THAT(report, StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(MessageOf(report.status()), HasSubstr("a batch of 4 photos"));
  EXPECT_THAT(MessageOf(report.status()), HasSubstr("1.0 GiB are free"));
  EXPECT_THAT(MessageOf(report.status()), HasSubstr("data.batch"));
}

TEST(CardErrorTest, SaysThatTheNetworkIsTooLarge) {
  const c10::OutOfMemoryError error({__func__, __FILE__, __LINE__}, "CUDA out of memory");
  const Status status = CardFailure("cuda:1", error, {}, 0);
  EXPECT_EQ(MessageOf(status),
            "cuda:1 has too little memory for the network, its head and its optimiser");
}

TEST(CardErrorTest, SaysThatTheCardFailed) {
  FakeCard::Calls calls;
  const auto training = BeginOnCard(CardOptions(), calls);
  calls.fail = [] { TORCH_CHECK(false, "CUDA error: an illegal memory access\nmore lines"); };
  const auto report = training->Learn(StripesAt(0));
  EXPECT_THAT(report, StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(MessageOf(report.status()), HasSubstr("illegal memory access. What was learned"));
}

TEST(CardErrorTest, RefusesFp16OnTheCpu) {
  TrainingOptions options = CardOptions();
  options.precision = Precision::kFp16;
  EXPECT_THAT(Training::Create(options), StatusIs(StatusCode::kInvalidArgument));
}

TEST(CardErrorTest, RefusesACardThatIsNotThere) {
  TrainingOptions options = CardOptions();
  options.device = {.card = 99, .card_name = "none"};
  EXPECT_THAT(Training::Create(options), StatusIs(StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace facegate
