#include "face/decide/threshold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/person_scores.h"
#include "tests/support/sample_calibration.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kCosine = OperatingPointKind::kMinCosine;
constexpr auto kFmrPoint = OperatingPointKind::kFmr;
constexpr auto kFpirPoint = OperatingPointKind::kFpir;

const Calibration& GeneratedCalibration() {
  static const Calibration one = *PersonScores(800, 21).Calibrate();
  return one;
}

TEST(ThresholdForTest, ARawCosineNeedsNoCalibration) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold at,
                                ThresholdFor({.kind = kCosine, .value = 0.3}, nullptr, {}));
  EXPECT_EQ(at.min_cosine, 0.3);
  EXPECT_FALSE(at.claimed.has_value());
  EXPECT_EQ(at.calibration_id, "");
}

TEST(ThresholdForTest, ARawCosineSaysWhatItComesTo) {
  const Calibration one = SampleCalibration();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold compared,
                                ThresholdFor({.kind = kCosine, .value = 0.5}, &one, {}));
  EXPECT_EQ(compared.claimed_kind, kFmrPoint);
  EXPECT_DOUBLE_EQ(compared.claimed->rate, 0.01);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Threshold searched,
      ThresholdFor({.kind = kCosine, .value = 0.5}, &one, {.searched = 50}));
  EXPECT_EQ(searched.claimed_kind, kFpirPoint);
  EXPECT_NEAR(searched.claimed->rate, 0.35, 1e-9);
  EXPECT_EQ(searched.calibration_id, one.id);
}

TEST(ThresholdForTest, TheUpperBoundHoldsTheWantedRate) {
  for (const double fmr : {0.1, 0.01, 0.001, 1e-4}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const Threshold at,
        ThresholdFor({.kind = kFmrPoint, .value = fmr}, &GeneratedCalibration(), {}));
    EXPECT_LE(at.claimed->upper, fmr);
    EXPECT_LT(at.claimed->rate, at.claimed->upper);
  }
}

TEST(ThresholdForTest, NoLowerThresholdHolds) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold at, ThresholdFor({.kind = kFmrPoint, .value = 0.01},
                                                                 &GeneratedCalibration(), {}));
  EXPECT_GT(FalseMatchRateAt(GeneratedCalibration(), at.min_cosine - 1e-4).upper, 0.01);
}

TEST(ThresholdForTest, TheEstimateIsTheWantedRateWhenAskedFor) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Threshold at, ThresholdFor({.kind = kFpirPoint, .value = 0.05}, &GeneratedCalibration(),
                                       {.searched = 100}, RateBound::kEstimate));
  EXPECT_NEAR(at.claimed->rate, 0.05, 1e-4);
}

TEST(ThresholdForTest, RisesWithTheGallery) {
  double last = -1.0;
  for (const uint64_t identities : {1, 10, 35, 100, 400, 2000}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold at,
                                  ThresholdFor({.kind = kFpirPoint, .value = 0.1},
                                               &GeneratedCalibration(), {.searched = identities}));
    EXPECT_GT(at.min_cosine, last) << identities;
    last = at.min_cosine;
  }
}

TEST(ThresholdForTest, IsANumberThatAFloatHolds) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Threshold at,
      ThresholdFor({.kind = kFmrPoint, .value = 0.0123}, &GeneratedCalibration(), {}));
  EXPECT_EQ(static_cast<double>(static_cast<float>(at.min_cosine)), at.min_cosine);
}

TEST(ThresholdForTest, ThreeOfTheNumberOfPairsIsSupportedAndLessIsNot) {
  const Calibration one = SampleCalibration();
  EXPECT_THAT(ThresholdFor({.kind = kFmrPoint, .value = 3.001 / 5050.0}, &one, {}).status(),
              IsOk());
  EXPECT_THAT(ThresholdFor({.kind = kFmrPoint, .value = 2.999 / 5050.0}, &one, {}),
              RefusedWith(Reason::kCalibrationUnsupported));
}

TEST(ThresholdForTest, TheRefusalNamesWhatWouldBeNeeded) {
  const Calibration one = SampleCalibration();
  const Status refused = ThresholdFor({.kind = kFmrPoint, .value = 1e-6}, &one, {}).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(MessageOf(refused)),
              AllOf(HasSubstr("3e+06 pairs"), HasSubstr("2450"), HasSubstr("101 people"),
                    HasSubstr("0.00059")));
}

TEST(ThresholdForTest, ALargeGalleryNeedsASmallFalseMatchRate) {
  const Calibration one = SampleCalibration();
  const Status refused =
      ThresholdFor({.kind = kFpirPoint, .value = 0.01}, &one, {.searched = 1000}).status();
  EXPECT_THAT(refused, RefusedWith(Reason::kCalibrationUnsupported));
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("1000 templates"));
}

TEST(ThresholdForTest, ARateNeedsACalibration) {
  EXPECT_THAT(ThresholdFor({.kind = kFmrPoint, .value = 0.01}, nullptr, {}),
              RefusedWith(Reason::kCalibrationUnsupported));
}

TEST(ThresholdForTest, RefusesRatesAndCosinesOutOfRange) {
  for (const double bad : {0.0, 1.0, -0.1, 2.0, std::nan("")}) {
    const Status refused =
        ThresholdFor({.kind = kFpirPoint, .value = bad}, &GeneratedCalibration(), {.searched = 10})
            .status();
    EXPECT_THAT(refused, RefusedWith(Reason::kInvalidField)) << bad;
    EXPECT_EQ(FieldOf(refused), "fpir");
  }
  EXPECT_THAT(ThresholdFor({.kind = kCosine, .value = 1.01}, nullptr, {}),
              RefusedWith(Reason::kInvalidField));
}

TEST(ThresholdForTest, TheTrueRateOfGeneratedPeopleIsBelowTheWantedOne) {
  for (const double identities : {100.0, 10'000.0, 100'000.0}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const Threshold at,
        ThresholdFor({.kind = kFpirPoint, .value = 0.95}, &GeneratedCalibration(),
                     {.searched = static_cast<uint64_t>(identities)}));
    EXPECT_LE(person_scores::TrueFpir(at.min_cosine, identities), 0.95) << identities;
  }
}

TEST(ThresholdForTest, EachTemplateOfTheIdentityIsOneMoreChanceToErr) {
  const Calibration& one = GeneratedCalibration();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold single,
                                ThresholdFor({.kind = kFmrPoint, .value = 0.01}, &one, {}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Threshold several,
      ThresholdFor({.kind = kFmrPoint, .value = 0.01}, &one, {.templates = 8}));
  EXPECT_GT(several.min_cosine, single.min_cosine);
  EXPECT_LE(8 * FalseMatchRateAt(one, several.min_cosine).upper, 0.01);
  EXPECT_TRUE(several.claimed->by_formula);
}

TEST(ThresholdForTest, ASearchRateOfAComparisonIsTheFalseMatchRate) {
  const Calibration& one = GeneratedCalibration();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold fpir,
                                ThresholdFor({.kind = kFpirPoint, .value = 0.01}, &one, {}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Threshold fmr,
                                ThresholdFor({.kind = kFmrPoint, .value = 0.01}, &one, {}));
  EXPECT_EQ(fpir.min_cosine, fmr.min_cosine);
  EXPECT_EQ(fpir.claimed_kind, kFmrPoint);
}

// Two people who are one: no cosine is high enough.
TEST(ThresholdForTest, ARateBelowThatOfEqualFacesIsRefused) {
  constexpr size_t kTwoHundred = 200;
  auto builder = CalibrationBuilder::Create(kTwoHundred, kTwoHundred);
  ASSERT_THAT(builder, IsOk());
  for (size_t person = 0; person < kTwoHundred; ++person) {
    std::vector<float> row(kTwoHundred, 0.0F);
    if (person < 2) row[1 - person] = 1.0F;
    ASSERT_THAT(builder->AddProbe(person, row), IsOk());
  }
  const auto same = builder->Finish({.set = "two are one",
                                     .model_digest = std::string(64, 'a'),
                                     .preprocessing_digest = std::string(64, 'b'),
                                     .photos = kTwoHundred});
  ASSERT_THAT(same, IsOk());
  EXPECT_THAT(ThresholdFor({.kind = kFmrPoint, .value = 0.01}, &*same, {}), IsOk());
  EXPECT_THAT(ThresholdFor({.kind = kFmrPoint, .value = 2e-4}, &*same, {}),
              RefusedWith(Reason::kCalibrationUnsupported));
}

}  // namespace
}  // namespace facegate
