#include "trainer/ring/ring_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "face/base/random.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// Pictures that a small network tells apart after a few steps: a bright square whose place is the
// class, on noise.
DigitSet Squares(size_t count, uint64_t seed) {
  constexpr size_t kSide = 28;
  DigitSet digits{.rows = kSide, .columns = kSide, .pixels = {}, .labels = {}};
  digits.pixels.reserve(count * kSide * kSide);
  RandomStream random(seed);
  for (size_t i = 0; i < count; ++i) {
    const size_t label = i % 10;
    digits.labels.push_back(static_cast<uint8_t>(label));
    const size_t top = 2 + 12 * (label / 5) + random.Below(3);
    const size_t left = 1 + 5 * (label % 5) + random.Below(2);
    for (size_t y = 0; y < kSide; ++y) {
      for (size_t x = 0; x < kSide; ++x) {
        const bool inside = y >= top && y < top + 8 && x >= left && x < left + 4;
        digits.pixels.push_back(static_cast<char>(random.Below(60) + (inside ? 180 : 0)));
      }
    }
  }
  return digits;
}

void Ignore() {}

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
    FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult result,
                                  TrainRing(options_, train_, test_, [&] { ++steps; }));
    EXPECT_EQ(result.embeddings.size(), kTest);
    EXPECT_GT(result.accuracy, 0.95) << arcface;
    EXPECT_EQ(result.measure.directions.size(), 10U);
  }
  EXPECT_EQ(steps, 2 * RingTrainingSteps(options_, train_));
  EXPECT_EQ(steps, 2U * 4U * 40U);
}

TEST_F(RingTrainingTest, ArcFacePutsLookalikesSideBySideAtEvenAngles) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult result,
                                TrainRing(options_, train_, test_, Ignore));
  EXPECT_GT(result.measure.smallest_inter_class_angle, 30.0);
  EXPECT_LT(result.measure.intra_class_angle, 5.0);
}

TEST_F(RingTrainingTest, FollowsFromTheSeedAloneAlsoBesideAnotherTraining) {
  options_.epochs = 1;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult first, TrainRing(options_, train_, test_, Ignore));
  StatusOr<RingResult> second = Internal("not trained");
  RingTrainingOptions other = options_;
  other.seed = 2;
  StatusOr<RingResult> beside = Internal("not trained");
  {
    const std::jthread thread([&] { beside = TrainRing(other, train_, test_, Ignore); });
    second = TrainRing(options_, train_, test_, Ignore);
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

TEST_F(RingTrainingTest, StaysFiniteAtTheLargestMarginAndScale) {
  options_.epochs = 1;
  options_.margin = 1.0;
  options_.scale = 256.0;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const RingResult result,
                                TrainRing(options_, train_, test_, Ignore));
  for (const RingPoint& point : result.embeddings) {
    ASSERT_TRUE(std::isfinite(point.x) && std::isfinite(point.y));
  }
}

TEST_F(RingTrainingTest, TellsThatATrainingDiverged) {
  options_.learning_rate = 1e30;
  const auto result = TrainRing(options_, train_, test_, Ignore);
  EXPECT_THAT(result, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(result.status())), HasSubstr("lower learning rate"));
}

TEST_F(RingTrainingTest, RefusesWhatHasNoMeaning) {
  const auto refused = [&](const RingTrainingOptions& options, const DigitSet& train) {
    EXPECT_THAT(TrainRing(options, train, test_, Ignore), StatusIs(StatusCode::kInvalidArgument));
  };
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
