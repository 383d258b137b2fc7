#include "server/operations/decision.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

StatusOr<DecisionBasis> Choose(const std::optional<OperatingPoint>& requested,
                               std::optional<float> collection, const ModelCard& card) {
  return ChooseBasis({.requested = requested, .collection_min_cosine = collection, .card = card});
}

OperatingPoint RawPoint(double cosine) { return {.value = cosine}; }

ModelCard Card(std::optional<float> default_min_cosine) {
  ModelCard card;
  card.model_digest = "digest";
  card.default_min_cosine = default_min_cosine;
  return card;
}

TEST(DecisionTest, TheRequestComesFirstThenTheCollectionThenTheCard) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto basis, Choose(RawPoint(0.1), 0.2f, Card(0.3f)));
  EXPECT_EQ(basis.threshold, 0.1f);
  EXPECT_EQ(basis.source, ThresholdSource::kRequest);
  EXPECT_EQ(basis.model_digest, "digest");
  FACEGATE_ASSERT_OK_AND_ASSIGN(basis, Choose(std::nullopt, 0.2f, Card(0.3f)));
  EXPECT_EQ(basis.threshold, 0.2f);
  EXPECT_EQ(basis.source, ThresholdSource::kCollection);
  FACEGATE_ASSERT_OK_AND_ASSIGN(basis, Choose(std::nullopt, std::nullopt, Card(0.3f)));
  EXPECT_EQ(basis.threshold, 0.3f);
  EXPECT_EQ(basis.source, ThresholdSource::kModelCard);
  EXPECT_THAT(Choose(std::nullopt, std::nullopt, Card(std::nullopt)),
              RefusedWith(Reason::kNoOperatingPoint));
}

TEST(DecisionTest, AThresholdOfZeroIsAThreshold) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto basis, Choose(RawPoint(0.0), 0.2f, Card(0.3f)));
  EXPECT_EQ(basis.threshold, 0.0f);
  EXPECT_EQ(basis.source, ThresholdSource::kRequest);
}

TEST(DecisionTest, MatchesFromTheThresholdOn) {
  const DecisionBasis basis{.threshold = 0.3f};
  EXPECT_EQ(Decide(0.3f, basis), Decision::kMatch);
  EXPECT_EQ(Decide(std::nextafter(0.3f, 0.0f), basis), Decision::kNoMatch);
  EXPECT_EQ(Decide(std::numeric_limits<float>::quiet_NaN(), basis), Decision::kNoMatch);
}

}  // namespace
}  // namespace facegate
