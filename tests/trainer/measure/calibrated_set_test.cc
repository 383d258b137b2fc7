#include "trainer/measure/calibrated_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "face/decide/rates.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kValues = 16;

// Photos of random people; those of one person are alike.
class PeopleOfPhotos {
 public:
  void Add(const std::string& person, size_t photos) {
    std::normal_distribution<float> normal;
    std::vector<float> centre(kValues);
    for (float& value : centre) value = normal(random_);
    for (size_t i = 0; i < photos; ++i) {
      names_.push_back(person + "/" + std::to_string(1000 + i) + ".jpg");
      for (const float value : centre) values_.push_back(value + 0.1F * normal(random_));
    }
  }
  void AddWithoutFace(const std::string& name) {
    names_.push_back(name);
    values_.insert(values_.end(), kValues, std::numeric_limits<float>::quiet_NaN());
  }
  EmbeddingSet Set() const {
    return *EmbeddingSet::Make(names_, kValues, values_, {}, MirrorRule::kPlain, NoFaceRule::kMiss);
  }

 private:
  std::mt19937 random_{5};
  std::vector<std::string> names_;
  std::vector<float> values_;
};

CalibrationFacts FactsOfSet(uint64_t photos) {
  return {.set = "a set",
          .model_digest = std::string(64, 'a'),
          .preprocessing_digest = std::string(64, 'b'),
          .photos = photos};
}

PeopleOfPhotos ThirtyPeople() {
  PeopleOfPhotos people;
  for (size_t i = 0; i < 30; ++i) people.Add("p" + std::to_string(i), i < 10 ? 3 : 1);
  return people;
}

TEST(CalibrateSetTest, FoldersAreThePeople) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CalibratedSet made,
                                CalibrateSet(ThirtyPeople().Set(), FactsOfSet(50)));
  EXPECT_EQ(made.calibration.people, 30U);
  EXPECT_EQ(made.calibration.genuine_people, 10U);
  EXPECT_EQ(made.calibration.genuine_pairs, 30U);
  EXPECT_EQ(made.calibration.impostor_comparisons, 50U * 29U);
  EXPECT_THAT(made.remarks, IsEmpty());
}

TEST(CalibrateSetTest, GenuinePairsScoreAboveImpostors) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CalibratedSet made,
                                CalibrateSet(ThirtyPeople().Set(), FactsOfSet(50)));
  EXPECT_EQ(FalseNonMatchRateAt(made.calibration, 0.9).rate, 0.0);
  EXPECT_EQ(FalseMatchRateAt(made.calibration, 0.95).rate, 0.0);
}

TEST(CalibrateSetTest, PhotosWithoutAFaceAreFailuresToAcquire) {
  PeopleOfPhotos people = ThirtyPeople();
  people.AddWithoutFace("p3/9999.jpg");
  people.AddWithoutFace("nobody/1.jpg");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CalibratedSet made,
                                CalibrateSet(people.Set(), FactsOfSet(52)));
  EXPECT_EQ(made.calibration.people, 30U);
  EXPECT_EQ(made.calibration.photos_left_out, 2U);
  EXPECT_NEAR(made.calibration.failure_to_acquire(), 2.0 / 52.0, 1e-12);
}

TEST(CalibrateSetTest, OfSomebodyWithManyPhotosSomeAreUsed) {
  PeopleOfPhotos people = ThirtyPeople();
  people.Add("famous", 100);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CalibratedSet made,
                                CalibrateSet(people.Set(), FactsOfSet(150)));
  EXPECT_EQ(made.calibration.impostor_comparisons, (50U + 32U) * 30U);
  EXPECT_THAT(made.remarks, ElementsAre(HasSubstr("68 photos are not used")));
}

TEST(CalibrateSetTest, NeedsFoldersAndTwentyPeople) {
  PeopleOfPhotos people;
  for (size_t i = 0; i < 19; ++i) people.Add("p" + std::to_string(i), 2);
  EXPECT_THAT(CalibrateSet(people.Set(), FactsOfSet(38)).status(),
              StatusIs(StatusCode::kInvalidArgument));
  const std::vector<float> ones(kValues, 1.0F);
  const EmbeddingSet loose = *EmbeddingSet::Make({"a.jpg"}, kValues, ones, {}, MirrorRule::kPlain);
  const Status refused = CalibrateSet(loose, FactsOfSet(1)).status();
  EXPECT_THAT(std::string(MessageOf(refused)), HasSubstr("a.jpg lies in no folder"));
}

}  // namespace
}  // namespace facegate
