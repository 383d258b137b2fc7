#include "trainer/landmarks/landmark_training.h"

#include <gmock/gmock.h>
#include <torch/types.h>

#include <memory>
#include <opencv2/core.hpp>
#include <utility>

#include "face/detect/landmark_net.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/landmarks/drawn_faces.h"
#include "trainer/landmarks/held_out_check.h"
#include "trainer/landmarks/point_loss.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(PointLossTest, IsSquaredBelowItsBoundAndAbsoluteAboveIt) {
  // Rows: a face with small errors, one with large ones, and no face.
  torch::Tensor points = torch::zeros({3, 10});
  points[0].fill_(0.5 * kSquaredBelow);
  points[1].fill_(-0.7);
  points[2].fill_(100);
  const torch::Tensor targets = torch::zeros({3, 10});
  const double small = 0.5 * 0.25 * kSquaredBelow;
  const double large = 0.7 - 0.5 * kSquaredBelow;
  EXPECT_NEAR(PointLoss(points, targets, torch::tensor({1.0F, 1.0F, 0.0F})).item<double>(),
              (small + large) / 2, 1e-6);
  EXPECT_EQ(PointLoss(points, targets, torch::zeros({3})).item<double>(), 0);
}

class LandmarkTrainingTest : public testing::Test {
 protected:
  void SetUp() override { FACEGATE_ASSERT_OK_AND_ASSIGN(split_, SplitByPerson(samples_, 0.25, 1)); }
  std::unique_ptr<LandmarkTraining> Create(NetworkTrainingOptions options) {
    auto training = LandmarkTraining::Create(options, samples_, split_);
    EXPECT_THAT(training.status(), IsOk());
    return *std::move(training);
  }
  static void Run(LandmarkTraining& training) {
    ASSERT_THAT(training.RunEpoch([] {}).status(), IsOk());
  }
  static void ExpectEqual(LandmarkTraining& a, LandmarkTraining& b) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights first, a.Weights());
    FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights second, b.Weights());
    for (const auto& [name, tensor] : first.tensors) {
      EXPECT_EQ(tensor.values, second.tensors.at(name).values) << name;
    }
  }

  const LandmarkSamples samples_ = DrawnSamples(40);
  SampleSplit split_;
};

TEST_F(LandmarkTrainingTest, LearnsWhereTheDotsOfADrawnFaceAre) {
  const auto training = Create({.epochs = 20, .batch = 32});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights before, training->Weights());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const HeldOutReport untaught,
                                CheckHeldOut(before, samples_, split_));
  while (training->epochs_done() < 20) Run(*training);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights after, training->Weights());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const HeldOutReport taught, CheckHeldOut(after, samples_, split_));
  EXPECT_GT(taught.errors.found_share(), 0.9);
  EXPECT_LT(taught.errors.median, 0.08);
  EXPECT_LT(taught.false_share, 0.2);
  EXPECT_TRUE(untaught.errors.found == 0 || untaught.errors.median > taught.errors.median);
}

TEST_F(LandmarkTrainingTest, GoesOnAfterAStopAsIfThereHadBeenNone) {
  const TempDir dir;
  const NetworkTrainingOptions options{.epochs = 3, .batch = 32};
  const auto whole = Create(options);
  for (int i = 0; i < 3; ++i) Run(*whole);
  const auto stopped = Create(options);
  Run(*stopped);
  ASSERT_THAT(stopped->Save(dir.File("checkpoint")), IsOk());
  Run(*stopped);  // lost
  const auto resumed = Create(options);
  ASSERT_THAT(resumed->Resume(dir.File("checkpoint")), IsOk());
  EXPECT_EQ(resumed->epochs_done(), 1);
  for (int i = 0; i < 2; ++i) Run(*resumed);
  ExpectEqual(*whole, *resumed);
}

TEST_F(LandmarkTrainingTest, DoesNotGoOnWithOtherOptions) {
  const TempDir dir;
  const auto training = Create({.epochs = 3, .batch = 32});
  ASSERT_THAT(training->Save(dir.File("checkpoint")), IsOk());
  const Status resumed = Create({.epochs = 4, .batch = 32})->Resume(dir.File("checkpoint"));
  EXPECT_THAT(resumed, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(resumed)), HasSubstr("epochs"));
  EXPECT_FALSE(training->Resume(dir.File("absent")).ok());
}

TEST_F(LandmarkTrainingTest, DoesNotGoOnWithOtherSamples) {
  const TempDir dir;
  ASSERT_THAT(Create({.epochs = 3, .batch = 32})->Save(dir.File("checkpoint")), IsOk());
  LandmarkSamples others = samples_;
  others.faces[split_.faces.front()].points[2].x += 1;
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto training, LandmarkTraining::Create({.epochs = 3, .batch = 32}, others, split_));
  const Status resumed = training->Resume(dir.File("checkpoint"));
  EXPECT_THAT(resumed, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(resumed)), HasSubstr("digest of the samples"));
}

TEST_F(LandmarkTrainingTest, DoesNotGoOnWithOthersHeldOut) {
  const TempDir dir;
  ASSERT_THAT(Create({.epochs = 3, .batch = 32})->Save(dir.File("checkpoint")), IsOk());
  std::swap(split_.faces.front(), split_.held_out_faces.front());
  EXPECT_THAT(Create({.epochs = 3, .batch = 32})->Resume(dir.File("checkpoint")),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(LandmarkTrainingTest, RefusesOptionsOutOfTheirRange) {
  const auto refused = StatusIs(StatusCode::kInvalidArgument);
  EXPECT_THAT(LandmarkTraining::Create({.epochs = 0}, samples_, split_).status(), refused);
  EXPECT_THAT(LandmarkTraining::Create({.batch = 1}, samples_, split_).status(), refused);
  EXPECT_THAT(LandmarkTraining::Create({.threads = 0}, samples_, split_).status(), refused);
  EXPECT_FALSE(LandmarkTraining::Create({.learning_rate = -1}, samples_, split_).ok());
}

}  // namespace
}  // namespace facegate
