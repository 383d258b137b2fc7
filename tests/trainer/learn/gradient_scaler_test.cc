#include "trainer/learn/gradient_scaler.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(GradientScalerTest, HalvesWhereAGradientIsNotFinite) {
  GradientScaler scaler;
  EXPECT_EQ(scaler.scale(), 65536.0);
  scaler.After(false);
  EXPECT_EQ(scaler.scale(), 32768.0);
}

TEST(GradientScalerTest, DoublesAfterManyGoodBatches) {
  GradientScaler scaler;
  for (int64_t i = 1; i < GradientScaler::kGoodBeforeDoubling; ++i) scaler.After(true);
  EXPECT_EQ(scaler.scale(), 65536.0);
  scaler.After(true);
  EXPECT_EQ(scaler.scale(), 131072.0);
}

TEST(GradientScalerTest, CountsGoodBatchesAnewAfterABadOne) {
  GradientScaler scaler;
  for (int64_t i = 1; i < GradientScaler::kGoodBeforeDoubling; ++i) scaler.After(true);
  scaler.After(false);
  scaler.After(true);
  EXPECT_EQ(scaler.scale(), 32768.0);
}

TEST(GradientScalerTest, StaysWithinItsBounds) {
  GradientScaler scaler;
  for (int i = 0; i < 100; ++i) scaler.After(false);
  EXPECT_EQ(scaler.scale(), GradientScaler::kLeast);
  for (int64_t i = 0; i < 40 * GradientScaler::kGoodBeforeDoubling; ++i) scaler.After(true);
  EXPECT_EQ(scaler.scale(), GradientScaler::kMost);
}

TEST(GradientScalerTest, GoesOnWhereItStopped) {
  GradientScaler before;
  before.After(false);
  for (int64_t i = 1; i < GradientScaler::kGoodBeforeDoubling; ++i) before.After(true);
  CheckpointFacts facts;
  before.Save(facts);
  GradientScaler after;
  ASSERT_THAT(after.Resume(facts), IsOk());
  EXPECT_EQ(after.scale(), 32768.0);
  after.After(true);
  EXPECT_EQ(after.scale(), 65536.0);
}

TEST(GradientScalerTest, BeginsAnewWithoutAState) {
  GradientScaler scaler;
  scaler.After(false);
  ASSERT_THAT(scaler.Resume({}), IsOk());
  EXPECT_EQ(scaler.scale(), GradientScaler::kFirst);
}

TEST(GradientScalerTest, RefusesAStateThatCannotBe) {
  GradientScaler scaler;
  for (const char* const scale : {"0", "-2", "3", "inf", "nan", "1e9", "x"}) {
    EXPECT_THAT(scaler.Resume({{"loss_scale", scale}, {"loss_scale_good", "0"}}),
                StatusIs(StatusCode::kInvalidArgument))
        << scale;
  }
  EXPECT_THAT(scaler.Resume({{"loss_scale", "2"}, {"loss_scale_good", "2000"}}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(scaler.Resume({{"loss_scale", "2"}}), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
