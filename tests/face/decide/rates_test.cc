#include "face/decide/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/person_scores.h"
#include "tests/support/sample_calibration.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(FalseMatchRateTest, IsTheRowsAtTheirThresholds) {
  const Calibration one = SampleCalibration();
  EXPECT_DOUBLE_EQ(FalseMatchRateAt(one, 0.25).rate, 0.1);
  EXPECT_DOUBLE_EQ(FalseMatchRateAt(one, 0.5).rate, 0.01);
}

TEST(FalseMatchRateTest, BetweenRowsItsLogarithmIsALine) {
  EXPECT_NEAR(FalseMatchRateAt(SampleCalibration(), 0.375).rate, std::sqrt(0.1 * 0.01), 1e-12);
}

TEST(FalseMatchRateTest, TowardsTheRowOfNothingItStays) {
  EXPECT_DOUBLE_EQ(FalseMatchRateAt(SampleCalibration(), 0.74).rate, 0.01);
}

TEST(FalseMatchRateTest, WhereNothingWasSeenTheRuleOfThreeHolds) {
  const ErrorRate at = FalseMatchRateAt(SampleCalibration(), 0.8);
  EXPECT_EQ(at.rate, 0.0);
  EXPECT_EQ(at.lower, 0.0);
  EXPECT_DOUBLE_EQ(at.upper, 3.0 / 5050.0);
}

TEST(FalseMatchRateTest, IntervalIsWiderForFewerOtherPeople) {
  const ErrorRate same = FalseMatchRateAt(SampleCalibration(), 0.5);
  const ErrorRate few = FalseMatchRateAt(SampleCalibration(), 0.5, 20);
  EXPECT_LT(few.lower, same.lower);
  EXPECT_GT(few.upper, same.upper);
}

TEST(FalseMatchRateTest, IntervalIsThatOfTheKeptVariances) {
  // 4 * 1.0 * 99 / (101 * 100) + 99 * 2 / (101 * 100), for two sets of 101 people.
  const double variance = 2.0 * (4.0 * 99.0 / 10100.0 + 198.0 / 10100.0);
  const double root = 1.0 - variance / 9.0 - 2.1 * std::sqrt(variance) / 3.0;
  EXPECT_NEAR(FalseMatchRateAt(SampleCalibration(), 0.5).lower, 0.01 * root * root * root, 1e-9);
}

TEST(FalsePositiveRateTest, IsTheTablesAtTheirSizes) {
  const Calibration one = SampleCalibration();
  EXPECT_NEAR(FalsePositiveRateAt(one, 0.5, 10).rate, 0.09, 1e-9);
  EXPECT_NEAR(FalsePositiveRateAt(one, 0.5, 50).rate, 0.35, 1e-9);
  EXPECT_FALSE(FalsePositiveRateAt(one, 0.5, 50).by_formula);
}

TEST(FalsePositiveRateTest, OfOneIdentityIsTheFalseMatchRate) {
  EXPECT_NEAR(FalsePositiveRateAt(SampleCalibration(), 0.5, 1).rate, 0.01, 1e-12);
}

TEST(FalsePositiveRateTest, GrowsWithTheGallery) {
  const Calibration one = SampleCalibration();
  double last = 0.0;
  for (const uint64_t identities : {1, 3, 10, 30, 50, 100, 1000}) {
    const double rate = FalsePositiveRateAt(one, 0.5, identities).rate;
    EXPECT_GT(rate, last) << identities;
    last = rate;
  }
}

TEST(FalsePositiveRateTest, BeyondTheTablesItIsTheFormula) {
  const ErrorRate at = FalsePositiveRateAt(SampleCalibration(), 0.5, 51);
  EXPECT_TRUE(at.by_formula);
  EXPECT_NEAR(at.rate, 1.0 - std::pow(0.99, 51.0), 1e-12);
}

TEST(FalsePositiveRateTest, WhereNothingWasSeenEachIdentityAddsTheRuleOfThree) {
  const ErrorRate at = FalsePositiveRateAt(SampleCalibration(), 0.8, 10);
  EXPECT_EQ(at.rate, 0.0);
  EXPECT_NEAR(at.upper, 1.0 - std::pow(1.0 - 3.0 / 5050.0, 10.0), 1e-12);
}

TEST(FalsePositiveRateTest, BoundsStayRates) {
  const Calibration one = SampleCalibration();
  for (const double threshold : {-1.0, 0.0, 0.1, 0.3, 0.6, 0.75, 2.0}) {
    for (const uint64_t identities : {0, 1, 2, 10, 20, 1000, 1'000'000'000}) {
      const ErrorRate at = FalsePositiveRateAt(one, threshold, identities);
      EXPECT_TRUE(0.0 <= at.lower && at.lower <= at.rate && at.rate <= at.upper && at.upper <= 1.0)
          << threshold << " " << identities << ": " << at.lower << " " << at.rate << " "
          << at.upper;
    }
  }
}

TEST(FalseNonMatchRateTest, IsUnknownWithoutGenuinePairs) {
  Calibration one = SampleCalibration();
  one.false_non_match.clear();
  EXPECT_EQ(FalseNonMatchRateAt(one, 0.5).lower, 0.0);
  EXPECT_EQ(FalseNonMatchRateAt(one, 0.5).upper, 1.0);
}

TEST(FalseNonMatchRateTest, IsALineBetweenRows) {
  EXPECT_NEAR(FalseNonMatchRateAt(SampleCalibration(), 0.375).rate, 0.05, 1e-12);
}

// Generated people: what is claimed of galleries far beyond the tables must hold the truth.
TEST(LargeGalleryTest, IntervalByFormulaHoldsTheTruth) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration one, PersonScores(1500, 9).Calibrate());
  for (const double identities : {1e4, 1e5, 1e6}) {
    for (double threshold = 0.40; threshold < 0.60; threshold += 0.04) {
      const double truth = person_scores::TrueFpir(threshold, identities);
      const ErrorRate at = FalsePositiveRateAt(one, threshold, static_cast<uint64_t>(identities));
      EXPECT_TRUE(at.by_formula);
      EXPECT_LE(at.lower, truth) << identities << " " << threshold;
      EXPECT_GE(at.upper, truth) << identities << " " << threshold;
    }
  }
}

TEST(PersonScoresTest, SimulatedGalleriesComeToTheKnownRate) {
  const std::vector<double> rates = SimulateFpir({0.35, 0.42}, 1000, 1000, 4);
  EXPECT_NEAR(rates[0], person_scores::TrueFpir(0.35, 1000), 0.06);
  EXPECT_NEAR(rates[1], person_scores::TrueFpir(0.42, 1000), 0.04);
}

}  // namespace
}  // namespace facegate
