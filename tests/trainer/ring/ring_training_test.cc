#include "trainer/ring/ring_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "tests/support/status_matchers.h"
#include "tests/trainer/ring/square_digits.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RingTrainingTest : public ::testing::Test {
 protected:
  static constexpr size_t kTest = 500;

  const DigitSet train_ = Squares(2000, 1);
  const DigitSet test_ = Squares(kTest, 2);
  RingTrainingOptions options_{.epochs = 4, .batch = 50};
};

TEST_F(RingTrainingTest, LearnsWithAndWithoutAMargin) {
  size_t steps = 0;
  for (const bool arcface : {false, true}) {
    options_.arcface = arcface;
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const RingResult result, TrainRing(options_, train_, test_, {.advance = [&] { ++steps; }}));
    EXPECT_EQ(result.embeddings.size(), kTest);
    EXPECT_GT(result.accuracy, 0.95) << arcface;
    EXPECT_EQ(result.measure.directions.size(), 10U);
  }
  EXPECT_EQ(steps, 2 * RingTrainingSteps(options_, train_));
  EXPECT_EQ(steps, 2U * 4U * 40U);
}

TEST_F(RingTrainingTest, ArcFacePutsLookalikesSideBySideAtEvenAngles) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult result, TrainRing(options_, train_, test_, {}));
  EXPECT_GT(result.measure.smallest_inter_class_angle, 30.0);
  EXPECT_LT(result.measure.intra_class_angle, 5.0);
}

TEST_F(RingTrainingTest, FollowsFromTheSeedAloneAlsoBesideAnotherTraining) {
  options_.epochs = 1;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult first, TrainRing(options_, train_, test_, {}));
  StatusOr<RingResult> second = Internal("not trained");
  RingTrainingOptions other = options_;
  other.seed = 2;
  StatusOr<RingResult> beside = Internal("not trained");
  {
    const std::jthread thread([&] { beside = TrainRing(other, train_, test_, {}); });
    second = TrainRing(options_, train_, test_, {});
  }
  ASSERT_THAT(second, IsOk());
  ASSERT_THAT(beside, IsOk());
  size_t moved = 0;
  for (size_t i = 0; i < kTest; ++i) {
    EXPECT_EQ(first.embeddings[i].x, second->embeddings[i].x) << i;
    EXPECT_EQ(first.embeddings[i].y, second->embeddings[i].y) << i;
    if (first.embeddings[i].x != beside->embeddings[i].x) ++moved;
  }
  EXPECT_EQ(moved, kTest);
}

TEST_F(RingTrainingTest, ComesToTheSameWhereEachEpochIsWatched) {
  options_.epochs = 2;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult alone, TrainRing(options_, train_, test_, {}));
  std::vector<int64_t> epochs;
  RingResult last;
  const auto watch = [&](int64_t epoch, const RingResult& result) {
    epochs.push_back(epoch);
    last = result;
    return OkStatus();
  };
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult watched,
                                TrainRing(options_, train_, test_, {.epoch = watch}));
  EXPECT_THAT(epochs, ElementsAre(1, 2));
  ASSERT_EQ(last.embeddings.size(), kTest);
  for (size_t i = 0; i < kTest; ++i) {
    EXPECT_EQ(watched.embeddings[i].x, alone.embeddings[i].x) << i;
    EXPECT_EQ(last.embeddings[i].x, alone.embeddings[i].x) << i;
  }
  EXPECT_EQ(last.measure.intra_class_angle, alone.measure.intra_class_angle);
}

TEST_F(RingTrainingTest, EndsWhereWhoWatchesFails) {
  const auto watch = [](int64_t, const RingResult&) { return NotFound("no file"); };
  EXPECT_THAT(TrainRing(options_, train_, test_, {.epoch = watch}),
              StatusIs(StatusCode::kNotFound));
}

TEST_F(RingTrainingTest, StaysFiniteAtTheLargestMarginAndScale) {
  options_.epochs = 1;
  options_.margin = 1.0;
  options_.scale = 256.0;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult result, TrainRing(options_, train_, test_, {}));
  for (const RingPoint& point : result.embeddings) {
    ASSERT_TRUE(std::isfinite(point.x) && std::isfinite(point.y));
  }
}

TEST_F(RingTrainingTest, LearnsWithTheResNetOfTheOriginal) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const RingResult result, TrainRing({.network = "resnet-18-plane-2", .epochs = 1, .batch = 10},
                                         Squares(10, 1), Squares(10, 2), {}));
  ASSERT_EQ(result.embeddings.size(), 10U);
  EXPECT_NE(result.embeddings[0].x, result.embeddings[1].x);
}

TEST_F(RingTrainingTest, TellsThatATrainingDiverged) {
  options_.learning_rate = 1e30;
  const auto result = TrainRing(options_, train_, test_, {});
  EXPECT_THAT(result, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(result.status())), HasSubstr("lower learning rate"));
}

TEST_F(RingTrainingTest, ShowsNoEpochThatHasDiverged) {
  options_.learning_rate = 1e30;
  options_.batch = 2000;  // an epoch is a step
  bool shown = false;
  const auto watch = [&](int64_t, const RingResult&) {
    shown = true;
    return OkStatus();
  };
  EXPECT_FALSE(TrainRing(options_, train_, test_, {.epoch = watch}).ok());
  EXPECT_FALSE(shown);
}

TEST_F(RingTrainingTest, RefusesWhatHasNoMeaning) {
  const auto refused = [&](const RingTrainingOptions& options, const DigitSet& train) {
    EXPECT_THAT(TrainRing(options, train, test_, {}), StatusIs(StatusCode::kInvalidArgument));
  };
  refused({.network = "resnet-18"}, train_);
  refused({.epochs = 0}, train_);
  refused({.batch = 1}, train_);
  refused({.batch = 2001}, train_);
  refused({.margin = -0.1}, train_);
  refused({.margin = std::nan("")}, train_);
  refused({.scale = 0.0}, train_);
  refused({.learning_rate = 0.0}, train_);
  refused({.threads = 0}, train_);
  DigitSet small = train_;
  small.rows = 14;
  refused({}, small);
  refused({}, {});
}

}  // namespace
}  // namespace facegate
