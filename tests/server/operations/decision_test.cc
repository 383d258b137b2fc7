#include "server/rpc/decision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

v1::OperatingPoint At(float min_cosine) {
  v1::OperatingPoint point;
  point.set_min_cosine(min_cosine);
  return point;
}

ModelCard Card(std::optional<float> default_min_cosine) {
  ModelCard card;
  card.model_digest = "digest";
  card.default_min_cosine = default_min_cosine;
  return card;
}

TEST(DecisionTest, TheRequestComesFirstThenTheCollectionThenTheCard) {
  const v1::OperatingPoint point = At(0.1f);
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto basis, ChooseBasis(&point, 0.2f, Card(0.3f)));
  EXPECT_EQ(basis.threshold(), 0.1f);
  EXPECT_EQ(basis.source(), v1::OPERATING_POINT_SOURCE_REQUEST);
  EXPECT_EQ(basis.model_digest(), "digest");
  FACEGATE_ASSERT_OK_AND_ASSIGN(basis, ChooseBasis(nullptr, 0.2f, Card(0.3f)));
  EXPECT_EQ(basis.threshold(), 0.2f);
  EXPECT_EQ(basis.source(), v1::OPERATING_POINT_SOURCE_COLLECTION);
  FACEGATE_ASSERT_OK_AND_ASSIGN(basis, ChooseBasis(nullptr, std::nullopt, Card(0.3f)));
  EXPECT_EQ(basis.threshold(), 0.3f);
  EXPECT_EQ(basis.source(), v1::OPERATING_POINT_SOURCE_MODEL_CARD);
  EXPECT_THAT(ChooseBasis(nullptr, std::nullopt, Card(std::nullopt)),
              RefusedWith(Reason::kNoOperatingPoint));
}

TEST(DecisionTest, AThresholdOfZeroIsAThreshold) {
  const v1::OperatingPoint point = At(0.0f);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto basis, ChooseBasis(&point, 0.2f, Card(0.3f)));
  EXPECT_EQ(basis.threshold(), 0.0f);
  EXPECT_EQ(basis.source(), v1::OPERATING_POINT_SOURCE_REQUEST);
}

TEST(DecisionTest, RefusesAPointOutOfRangeOrUnknown) {
  for (const float wrong :
       {std::nextafter(1.0f, 2.0f), -1.5f, std::numeric_limits<float>::quiet_NaN(),
        std::numeric_limits<float>::infinity()}) {
    const v1::OperatingPoint point = At(wrong);
    EXPECT_THAT(ChooseBasis(&point, 0.2f, Card(0.3f)), RefusedWith(Reason::kInvalidField));
  }
  // A kind of point that this version does not know arrives as an empty message.
  v1::OperatingPoint unknown;
  ASSERT_TRUE(unknown.ParseFromString("\x50\x01"));
  EXPECT_THAT(ChooseBasis(&unknown, 0.2f, Card(0.3f)), RefusedWith(Reason::kInvalidField));
}

TEST(DecisionTest, MatchesFromTheThresholdOn) {
  v1::DecisionBasis basis;
  basis.set_threshold(0.3f);
  EXPECT_EQ(Decide(0.3f, basis), v1::DECISION_MATCH);
  EXPECT_EQ(Decide(std::nextafter(0.3f, 0.0f), basis), v1::DECISION_NO_MATCH);
  EXPECT_EQ(Decide(std::numeric_limits<float>::quiet_NaN(), basis), v1::DECISION_NO_MATCH);
}

}  // namespace
}  // namespace facegate
