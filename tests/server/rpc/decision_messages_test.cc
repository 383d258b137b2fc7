#include "server/rpc/decision_messages.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

v1::OperatingPoint PointAt(float min_cosine) {
  v1::OperatingPoint point;
  point.set_min_cosine(min_cosine);
  return point;
}

TEST(DecisionMessagesTest, ReadsAPointWhereThereIsOne) {
  const v1::OperatingPoint point = PointAt(0.25f);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto given, ParseOperatingPoint(&point));
  ASSERT_TRUE(given.has_value());
  EXPECT_EQ(given->kind, OperatingPointKind::kMinCosine);
  EXPECT_EQ(given->value, 0.25);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto none, ParseOperatingPoint(nullptr));
  EXPECT_FALSE(none.has_value());
}

TEST(DecisionMessagesTest, RefusesAPointOutOfRangeOrUnknown) {
  for (const float wrong :
       {std::nextafter(1.0f, 2.0f), -1.5f, std::numeric_limits<float>::quiet_NaN(),
        std::numeric_limits<float>::infinity()}) {
    const v1::OperatingPoint point = PointAt(wrong);
    EXPECT_THAT(ParseOperatingPoint(&point), RefusedWith(Reason::kInvalidField));
  }
  // A kind of point that this version does not know arrives as an empty message.
  v1::OperatingPoint unknown;
  ASSERT_TRUE(unknown.ParseFromString("\x50\x01"));
  EXPECT_THAT(ParseOperatingPoint(&unknown), RefusedWith(Reason::kInvalidField));
}

TEST(DecisionMessagesTest, TellsWhatADecisionRestsOn) {
  v1::DecisionBasis basis;
  FillBasis({.threshold = 0.3f,
             .source = ThresholdSource::kCollection,
             .calibration_id = "lfw",
             .model_digest = "digest"},
            &basis);
  EXPECT_EQ(basis.threshold(), 0.3f);
  EXPECT_EQ(basis.source(), v1::OPERATING_POINT_SOURCE_COLLECTION);
  EXPECT_EQ(basis.calibration_id(), "lfw");
  EXPECT_EQ(basis.model_digest(), "digest");
}

}  // namespace
}  // namespace facegate
