#include "face/decide/calibration_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <numeric>

#include "face/decide/calibration_json.h"
#include "face/decide/calibration_reader.h"
#include "face/decide/rates.h"
#include "tests/support/person_scores.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

constexpr size_t kPeople = 24;

CalibrationFacts SomeFacts(uint64_t photos) {
  return {.set = "some people",
          .model_digest = std::string(64, 'a'),
          .preprocessing_digest = std::string(64, 'b'),
          .photos = photos};
}

// 24 people with one photo each, whose scores `score` tells.
StatusOr<Calibration> CalibrationOfScores(const std::function<float(size_t, size_t)>& score) {
  FACEGATE_ASSIGN_OR_RETURN(auto builder, CalibrationBuilder::Create(kPeople, kPeople));
  for (size_t a = 0; a < kPeople; ++a) {
    std::vector<float> row;
    for (size_t b = 0; b < kPeople; ++b) row.push_back(score(a, b));
    FACEGATE_RETURN_IF_ERROR(builder.AddProbe(a, row));
  }
  return builder.Finish(SomeFacts(kPeople));
}

TEST(CalibrationBuilderTest, CountsPairsOfPeople) {
  // Person 0 comes to 0.5 with everybody, all others to 0.
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration one, CalibrationOfScores([](size_t a, size_t b) {
                                  return a == 0 || b == 0 ? 0.5F : 0.0F;
                                }));
  EXPECT_EQ(one.impostor_pairs, 276U);
  EXPECT_EQ(one.impostor_comparisons, 552U);
  const FalseMatchRow& last = one.false_match[one.false_match.size() - 2];
  EXPECT_EQ(last.pairs, 23U);
  EXPECT_NEAR(last.rate, 23.0 / 276.0, 1e-5);
}

TEST(CalibrationBuilderTest, AThresholdIsReachedByAScoreOfTheSameValue) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration one,
                                CalibrationOfScores([](size_t, size_t) { return 0.5F; }));
  EXPECT_EQ(one.false_match.back().threshold, 0.5 + 1.0 / 256.0);
  EXPECT_EQ(FalseMatchRateAt(one, 0.5).rate, 1.0);
}

TEST(CalibrationBuilderTest, PeopleWeighTheSameHoweverManyPhotosTheyHave) {
  // Person 0 has nine photos, and each of them matches everybody.
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto builder, CalibrationBuilder::Create(kPeople, kPeople + 8));
  for (size_t photo = 0; photo < kPeople + 8; ++photo) {
    const size_t person = photo < 9 ? 0 : photo - 8;
    std::vector<float> row(kPeople, 0.0F);
    if (person == 0) row.assign(kPeople, 0.5F);
    row[0] = 0.5F;
    ASSERT_THAT(builder.AddProbe(person, row), IsOk());
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration one, builder.Finish(SomeFacts(kPeople + 8)));
  EXPECT_NEAR(FalseMatchRateAt(one, 0.5).rate, 23.0 / 276.0, 1e-5);
}

TEST(CalibrationBuilderTest, SomebodyWhoMatchesEverybodyIsAVarianceOfPeople) {
  const auto of_pairs = CalibrationOfScores([](size_t a, size_t b) {
    return (a + b) % 12 == 1 ? 0.5F : 0.0F;  // everybody matches two
  });
  const auto of_one =
      CalibrationOfScores([](size_t a, size_t b) { return a == 0 || b == 0 ? 0.5F : 0.0F; });
  ASSERT_TRUE(of_pairs.ok() && of_one.ok());
  const auto variance = [](const Calibration& one) {
    return one.false_match[one.false_match.size() - 2].person_variance;
  };
  EXPECT_LT(variance(*of_pairs), 0.01);
  EXPECT_GT(variance(*of_one), 1.0);
}

TEST(CalibrationBuilderTest, GalleryRatesAreThoseOfAllGalleries) {
  // Person 1 matches person 0 alone. Of the galleries of 10 of the other 23 people, 10 in 23 hold
  // person 0 for person 1, and person 1 for person 0; all others match nobody.
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration one, CalibrationOfScores([](size_t a, size_t b) {
                                  return a + b == 1 ? 0.5F : 0.0F;
                                }));
  ASSERT_EQ(one.galleries.size(), 1U);
  EXPECT_EQ(one.galleries[0].identities, 10U);
  const auto& rows = one.galleries[0].rows;
  EXPECT_NEAR(rows[rows.size() - 2].rate, 2.0 * (10.0 / 23.0) / 24.0, 1e-5);
}

TEST(CalibrationBuilderTest, GenuineSharesAreMeansOverPeople) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto builder, CalibrationBuilder::Create(kPeople, kPeople));
  const std::vector<float> row(kPeople, 0.0F);
  for (size_t a = 0; a < kPeople; ++a) ASSERT_THAT(builder.AddProbe(a, row), IsOk());
  // Half of the pairs of person 0 are low, none of person 1.
  for (const float score : {0.1F, 0.1F, 0.6F, 0.6F}) {
    ASSERT_THAT(builder.AddGenuine(0, score), IsOk());
  }
  ASSERT_THAT(builder.AddGenuine(1, 0.6F), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration one, builder.Finish(SomeFacts(2 * kPeople)));
  EXPECT_EQ(one.genuine_people, 2U);
  EXPECT_EQ(one.genuine_pairs, 5U);
  EXPECT_NEAR(FalseNonMatchRateAt(one, 0.4).rate, 0.25, 1e-5);
  EXPECT_EQ(FalseNonMatchRateAt(one, 0.05).rate, 0.0);
}

TEST(CalibrationBuilderTest, RefusesTooFewAndTooMany) {
  EXPECT_THAT(CalibrationBuilder::Create(19, 100).status(), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CalibrationBuilder::Create(30, 29).status(), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CalibrationBuilder::Create(20000, 20000).status(),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CalibrationBuilder::Create(20, std::numeric_limits<size_t>::max()).status(),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(CalibrationBuilderTest, RefusesScoresThatAreNoCosines) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto builder, CalibrationBuilder::Create(kPeople, kPeople));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), 1.5F, -2.0F}) {
    std::vector<float> row(kPeople, 0.0F);
    row[5] = bad;
    EXPECT_THAT(builder.AddProbe(0, row), StatusIs(StatusCode::kInvalidArgument));
    EXPECT_THAT(builder.AddGenuine(0, bad), StatusIs(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(builder.AddProbe(0, std::vector<float>(kPeople - 1, 0.0F)),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(builder.AddProbe(kPeople, std::vector<float>(kPeople, 0.0F)),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(CalibrationBuilderTest, ScoreWithOneselfIsNotUsed) {
  const auto with = CalibrationOfScores([](size_t a, size_t b) { return a == b ? 1.0F : 0.1F; });
  const auto without = CalibrationOfScores([](size_t, size_t) { return 0.1F; });
  ASSERT_TRUE(with.ok() && without.ok());
  EXPECT_EQ(with->id, without->id);
}

TEST(CalibrationBuilderTest, NeedsAPhotoOfEverybody) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto builder, CalibrationBuilder::Create(kPeople, kPeople));
  for (size_t i = 0; i < kPeople; ++i) {
    ASSERT_THAT(builder.AddProbe(i % 20, std::vector<float>(kPeople, 0.0F)), IsOk());
  }
  EXPECT_THAT(builder.Finish(SomeFacts(kPeople)).status(),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(CalibrationBuilderTest, ATableOfManyPeopleFitsACard) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Calibration one, PersonScores(1500, 3).Calibrate());
  EXPECT_LT(CalibrationToJson(one).size(), kMaxCalibrationBytes / 2);
  EXPECT_THAT(CalibrationFromJson(CalibrationToJson(one)), IsOk());
}

TEST(SamplePeopleTest, DrawsDifferentOnesAndTheSameAgain) {
  const std::vector<size_t> drawn = SamplePeople(1000, 100, 5);
  EXPECT_EQ(drawn.size(), 100U);
  EXPECT_TRUE(std::adjacent_find(drawn.begin(), drawn.end(), std::greater_equal<>()) ==
              drawn.end());
  EXPECT_EQ(SamplePeople(1000, 100, 5), drawn);
  EXPECT_NE(SamplePeople(1000, 100, 6), drawn);
  EXPECT_EQ(SamplePeople(3, 100, 5), (std::vector<size_t>{0, 1, 2}));
}

TEST(CalibrationBuilderStopTest, EndsWhenNobodyWaits) {
  const PersonScores scores(60, 1);
  auto builder = CalibrationBuilder::Create(scores.people(), scores.people());
  ASSERT_THAT(builder, IsOk());
  std::vector<float> row(scores.people());
  for (size_t person = 0; person < scores.people(); ++person) {
    for (size_t other = 0; other < row.size(); ++other) row[other] = scores.Score(person, other);
    ASSERT_THAT(builder->AddProbe(person, row), IsOk());
  }
  EXPECT_THAT(builder->Finish(SomeFacts(scores.people())), IsOk());
  // It is stopped in each of its steps.
  for (const int answers : {0, 30, 61, 80}) {
    int left = answers;
    const StopCheck stop = [&] {
      return left-- > 0 ? OkStatus() : Refuse(Reason::kDeadline, "the deadline has passed");
    };
    EXPECT_THAT(builder->Finish(SomeFacts(scores.people()), stop), RefusedWith(Reason::kDeadline))
        << answers;
  }
}

}  // namespace
}  // namespace facegate
