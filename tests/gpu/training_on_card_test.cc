// Training on a card against training on the CPU, which other tests have checked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "face/base/device.h"
#include "face/torch/find_cuda.h"
#include "face/torch/tensor_conversion.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/learn/stripes.h"

namespace facegate {
namespace {

constexpr size_t kSteps = 20;
constexpr double kRounding = 1e-4;

class TrainingOnCardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const CudaMachine machine = FindCuda();
    if (machine.cards.empty()) GTEST_SKIP() << "SKIPPED: no card: " << machine.missing;
    const auto device = ChooseDevice("cuda", machine);
    ASSERT_THAT(device, IsOk());
    device_ = *device;
  }

  // A low rate: with a higher one, differences of rounding grow from step to step.
  static TrainingOptions OnCpu() {
    TrainingOptions options = StripesOptions();
    options.schedule.base = 2e-4;
    options.fused = false;
    return options;
  }
  TrainingOptions OnCard() const {
    TrainingOptions options = OnCpu();
    options.device = device_;
    options.deterministic = true;
    return options;
  }

  Device device_{};
};

// Stripes of eight batches under noise: batch norms of fewer photos, or of photos that are nearly
// the same, make much of every difference.
Batch PicturesAt(size_t step) {
  Batch all;
  for (size_t part = 0; part < 8; ++part) {
    const Batch one = StripesAt(8 * step + part);
    all.pixels.insert(all.pixels.end(), one.pixels.begin(), one.pixels.end());
    all.labels.insert(all.labels.end(), one.labels.begin(), one.labels.end());
  }
  RandomStream random(5, step);
  for (float& pixel : all.pixels) {
    pixel = 0.5F * pixel + static_cast<float>(random.Uniform(-0.5, 0.5));
  }
  all.photos.resize(all.labels.size());
  std::iota(all.photos.begin(), all.photos.end(), size_t{0});
  return all;
}

StepReport LearnPicturesAt(Training& training, size_t step) {
  const auto report = training.Learn(PicturesAt(step));
  EXPECT_THAT(report, IsOk());
  return report.ok() ? *report : StepReport{};
}

std::vector<StepReport> LearnSteps(Training& training, size_t begin, size_t end) {
  std::vector<StepReport> reports;
  for (size_t step = begin; step < end; ++step) {
    reports.push_back(LearnPicturesAt(training, step));
    EXPECT_EQ(reports.back().note, "");
  }
  return reports;
}

double MeanLoss(const std::vector<StepReport>& reports) {
  return std::accumulate(reports.begin(), reports.end(), 0.0,
                         [](double sum, const StepReport& one) { return sum + one.loss; }) /
         static_cast<double>(reports.size());
}

// How far all weights of two trainings are from each other, as a share of their length.
double Distance(Training& one, Training& other) {
  const TensorMap a = one.Weights().value();
  const TensorMap b = other.Weights().value();
  double difference = 0.0;
  double length = 0.0;
  for (const auto& [name, tensor] : a) {
    if (!name.ends_with("weight")) continue;
    const torch::Tensor x = ToTorch(tensor).value().to(torch::kDouble);
    const torch::Tensor y = ToTorch(b.at(name)).value().to(torch::kDouble);
    difference += (x - y).square().sum().item<double>();
    length += y.square().sum().item<double>();
  }
  return std::sqrt(difference / length);
}

bool AreEqual(Training& one, Training& other) { return *one.Weights() == *other.Weights(); }

TEST_F(TrainingOnCardTest, MakesTheStepOfTheCpu) {
  const auto card = BeginTraining(OnCard());
  const auto cpu = BeginTraining(OnCpu());
  const StepReport actual = LearnPicturesAt(*card, 0);
  const StepReport expected = LearnPicturesAt(*cpu, 0);
  EXPECT_NEAR(actual.loss, expected.loss, kRounding * expected.loss);
  EXPECT_NEAR(actual.gradient_norm, expected.gradient_norm, 1e-3 * expected.gradient_norm);
  EXPECT_EQ(actual.accuracy, expected.accuracy);
  EXPECT_LT(Distance(*card, *cpu), kRounding);
}

TEST_F(TrainingOnCardTest, MakesTheStepsOfTheCpu) {
  const auto card = BeginTraining(OnCard());
  const auto cpu = BeginTraining(OnCpu());
  const auto actual = LearnSteps(*card, 0, kSteps);
  const auto expected = LearnSteps(*cpu, 0, kSteps);
  EXPECT_NEAR(MeanLoss(actual), MeanLoss(expected), 1e-2 * MeanLoss(expected));
  EXPECT_LT(Distance(*card, *cpu), kRounding);
}

// Every margin, and what else keeps numbers of its own.
TEST_F(TrainingOnCardTest, MakesTheStepOfTheCpuWithEveryMargin) {
  for (const std::string& kind : MarginKinds()) {
    TrainingOptions on_card = OnCard();
    TrainingOptions on_cpu = OnCpu();
    on_card.head.margin.kind = on_cpu.head.margin.kind = kind;
    on_card.ema_decay = on_cpu.ema_decay = 0.9;
    const auto card = BeginTraining(on_card);
    const auto cpu = BeginTraining(on_cpu);
    const StepReport actual = LearnPicturesAt(*card, 0);
    const StepReport expected = LearnPicturesAt(*cpu, 0);
    EXPECT_NEAR(actual.loss, expected.loss, kRounding * std::abs(expected.loss)) << kind;
    EXPECT_LT(Distance(*card, *cpu), kRounding) << kind;
  }
}

TEST_F(TrainingOnCardTest, MakesTheUpdatesOfTheCpuWithEveryOptimizer) {
  for (const std::string& kind : OptimizerKinds()) {
    TrainingOptions on_card = OnCard();
    TrainingOptions on_cpu = OnCpu();
    on_card.optimizer.kind = on_cpu.optimizer.kind = kind;
    on_card.schedule.base = on_cpu.schedule.base = 1e-4;
    // The first steps of Adam follow signs, which rounding turns where gradients are nothing.
    on_card.optimizer.epsilon = on_cpu.optimizer.epsilon = 1e-3;
    const auto card = BeginTraining(on_card);
    const auto cpu = BeginTraining(on_cpu);
    LearnSteps(*card, 0, 3);
    LearnSteps(*cpu, 0, 3);
    EXPECT_LT(Distance(*card, *cpu), kRounding) << kind;
  }
}

TEST_F(TrainingOnCardTest, LearnsInBf16NearlyAsInFp32) {
  TrainingOptions narrow = OnCard();
  narrow.precision = Precision::kBf16;
  const auto actual = LearnSteps(*BeginTraining(narrow), 0, kSteps);
  const auto expected = LearnSteps(*BeginTraining(OnCard()), 0, kSteps);
  EXPECT_NEAR(MeanLoss(actual), MeanLoss(expected), 0.05 * MeanLoss(expected));
}

TEST_F(TrainingOnCardTest, LearnsInFp16NearlyAsInFp32) {
  TrainingOptions narrow = OnCard();
  narrow.precision = Precision::kFp16;
  const auto training = BeginTraining(narrow);
  const auto actual = LearnSteps(*training, 0, kSteps);
  const auto expected = LearnSteps(*BeginTraining(OnCard()), 0, kSteps);
  EXPECT_NEAR(MeanLoss(actual), MeanLoss(expected), 0.1 * MeanLoss(expected));
  EXPECT_TRUE(actual.front().loss_scale.has_value());
  EXPECT_GT(training->updates(), 0);
}

TEST_F(TrainingOnCardTest, RepeatsItselfToTheBit) {
  const auto one = BeginTraining(OnCard());
  const auto other = BeginTraining(OnCard());
  LearnSteps(*one, 0, 8);
  LearnSteps(*other, 0, 8);
  EXPECT_TRUE(AreEqual(*one, *other));
}

TEST_F(TrainingOnCardTest, ReplaysARecordedStepToTheBit) {
  TrainingOptions options = OnCard();
  const auto recorded = BeginTraining(options);
  options.cuda_graph = false;
  const auto by_operators = BeginTraining(options);
  LearnSteps(*recorded, 0, 8);
  LearnSteps(*by_operators, 0, 8);
  EXPECT_TRUE(AreEqual(*recorded, *by_operators));
}

// Another network with dropout, a margin that keeps numbers, averages: everything random and kept.
TEST_F(TrainingOnCardTest, GoesOnToTheBit) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    TrainingOptions options = OnCard();
    options.architecture = "iresnet-18";
    options.head.embedding_size = 512;
    options.head.margin.kind = "curricularface";
    options.dropout = 0.4;
    options.ema_decay = 0.9;
    options.precision = precision;
    const TempDir dir;
    const auto whole = BeginTraining(options);
    for (size_t step = 0; step < 5; ++step) LearnPicturesAt(*whole, step);
    ASSERT_THAT(whole->Save(dir.File("c"), {}), IsOk());
    const auto resumed = BeginTraining(options);
    ASSERT_THAT(resumed->Resume(dir.File("c")), IsOk());
    for (size_t step = 5; step < 10; ++step) {
      LearnPicturesAt(*whole, step);
      LearnPicturesAt(*resumed, step);
    }
    EXPECT_TRUE(AreEqual(*whole, *resumed)) << static_cast<int>(precision);
  }
}

TEST_F(TrainingOnCardTest, GoesOnOnTheCpuAndBack) {
  const TempDir dir;
  const auto card = BeginTraining(OnCard());
  LearnSteps(*card, 0, 2);
  ASSERT_THAT(card->Save(dir.File("c"), {}), IsOk());
  const auto cpu = BeginTraining(OnCpu());
  ASSERT_THAT(cpu->Resume(dir.File("c")), IsOk());
  EXPECT_TRUE(AreEqual(*card, *cpu));
  LearnSteps(*cpu, 2, 4);
  ASSERT_THAT(cpu->Save(dir.File("d"), {}), IsOk());
  LearnSteps(*card, 2, 4);
  EXPECT_LT(Distance(*card, *cpu), kRounding);
  ASSERT_THAT(card->Resume(dir.File("d")), IsOk());
  EXPECT_TRUE(AreEqual(*card, *cpu));
}

TEST_F(TrainingOnCardTest, SkipsABatchAsIfItHadNotBeenThere) {
  TrainingOptions options = OnCard();
  options.head.margin.kind = "adaface";
  const auto skipping = BeginTraining(options);
  const auto without = BeginTraining(options);
  for (size_t step = 0; step < 8; ++step) {
    if (step == 1 || step == 6) {  // by operators, and replayed
      Batch broken = PicturesAt(step);
      broken.pixels[100] = std::nanf("");
      const auto report = skipping->Learn(broken);
      ASSERT_THAT(report, IsOk());
      EXPECT_TRUE(report->skipped);
    } else {
      LearnPicturesAt(*skipping, step);
      LearnPicturesAt(*without, step);
    }
  }
  EXPECT_TRUE(AreEqual(*skipping, *without));
}

TEST_F(TrainingOnCardTest, GathersGroupsAsTheCpuDoes) {
  TrainingOptions on_card = OnCard();
  TrainingOptions on_cpu = OnCpu();
  on_card.accumulate = on_cpu.accumulate = 2;
  const auto card = BeginTraining(on_card);
  const auto cpu = BeginTraining(on_cpu);
  LearnSteps(*card, 0, 4);
  LearnSteps(*cpu, 0, 4);
  EXPECT_EQ(card->updates(), 2);
  EXPECT_LT(Distance(*card, *cpu), kRounding);
}

TEST_F(TrainingOnCardTest, LearnsFromATeacherAndPhotosWithoutLabels) {
  Batch batch = PicturesAt(0);
  std::vector<float> targets(batch.labels.size() * 128);
  for (size_t i = 0; i < targets.size(); ++i) targets[i] = std::cos(static_cast<float>(i));
  TrainingOptions on_card = OnCard();
  TrainingOptions on_cpu = OnCpu();
  on_card.likeness = on_cpu.likeness = 0.5;
  const auto card = BeginTraining(on_card);
  const auto cpu = BeginTraining(on_cpu);
  batch.labels[1] = Batch::kUnlabelled;
  batch.degraded = {true, false, true, false};
  const auto actual = card->Learn(batch, {.embeddings = targets});
  const auto expected = cpu->Learn(batch, {.embeddings = targets});
  ASSERT_THAT(actual, IsOk());
  ASSERT_THAT(expected, IsOk());
  EXPECT_NEAR(actual->loss, expected->loss, kRounding * expected->loss);
  EXPECT_NEAR(*actual->distillation, *expected->distillation, kRounding);
}

TEST_F(TrainingOnCardTest, LearnsFromBatchesThatWereShippedAhead) {
  const auto ahead = BeginTraining(OnCard());
  const auto plain = BeginTraining(OnCard());
  std::optional<ShippedBatch> next = ahead->Ship(PicturesAt(0)).value();
  for (size_t step = 0; step < 8; ++step) {
    const std::optional<ShippedBatch> shipped = std::move(next);
    next = ahead->Ship(PicturesAt(step + 1)).value();
    ASSERT_THAT(ahead->Learn(PicturesAt(step), {}, shipped), IsOk());
    LearnPicturesAt(*plain, step);
  }
  EXPECT_TRUE(AreEqual(*ahead, *plain));
}

TEST_F(TrainingOnCardTest, LearnsTheSameWhereItRecomputes) {
  TrainingOptions options = OnCard();
  options.cuda_graph = false;
  const auto keeps = BeginTraining(options);
  options.recompute = true;
  const auto recomputes = BeginTraining(options);
  LearnSteps(*keeps, 0, 3);
  LearnSteps(*recomputes, 0, 3);
  EXPECT_TRUE(AreEqual(*keeps, *recomputes));
}

TEST_F(TrainingOnCardTest, EmbedsAsTheCpuDoes) {
  const auto card = BeginTraining(OnCard());
  const auto cpu = BeginTraining(OnCpu());
  const Batch batch = StripesAt(3);
  const std::vector<float> actual = card->Embed(batch.pixels, kStripeBatch);
  const std::vector<float> expected = cpu->Embed(batch.pixels, kStripeBatch);
  const float largest = *std::max_element(expected.begin(), expected.end());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 1e-4F * largest);
  }
}

TEST_F(TrainingOnCardTest, SaysThatTheBatchIsTooLargeAndGoesOn) {
  TrainingOptions options = OnCard();
  options.cuda_graph = false;
  const auto training = BeginTraining(options);
  const torch::Device device(torch::kCUDA, 0);
  std::vector<torch::Tensor> all;
  for (int64_t bytes = int64_t{64} << 30; bytes >= int64_t{1} << 20;) {
    try {
      all.push_back(torch::empty({bytes}, torch::TensorOptions(torch::kUInt8).device(device)));
    } catch (const c10::Error&) {
      bytes /= 2;
    }
  }
  const auto report = training->Learn(PicturesAt(0));
  EXPECT_THAT(report, StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(MessageOf(report.status()), ::testing::HasSubstr("data.batch"));
  all.clear();
  EXPECT_THAT(training->Learn(PicturesAt(0)), IsOk());
}

}  // namespace
}  // namespace facegate
