#include "trainer/measure/identification.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

// Photos on a circle, by their angle in degrees.
EmbeddingSet Circle(const std::vector<std::pair<std::string, double>>& photos) {
  std::vector<std::string> names;
  std::vector<float> values;
  for (const auto& [name, degrees] : photos) {
    names.push_back(name);
    values.push_back(static_cast<float>(3.0 * std::cos(degrees * 0.017453292519943295)));
    values.push_back(static_cast<float>(3.0 * std::sin(degrees * 0.017453292519943295)));
  }
  auto set = EmbeddingSet::Make(std::move(names), 2, values, {}, MirrorRule::kPlain);
  EXPECT_THAT(set, IsOk());
  return *std::move(set);
}

EmbeddingSet People() {
  return Circle({{"anna/2.jpg", 4},
                 {"anna/1.jpg", 0},
                 {"bert/1.jpg", 30},
                 {"bert/2.jpg", 10},
                 {"bert/3.jpg", 31},
                 {"stranger-a/1.jpg", 17},
                 {"stranger-b/1.jpg", 90}});
}

TEST(IdentificationTest, PhotosWithoutAFolderAreOfDifferentPeople) {
  const auto protocol = FirstPhotoProtocol(
      Circle({{"a.jpg", 0}, {"b.jpg", 90}, {"jane/1.jpg", 30}, {"jane/2.jpg", 40}}));
  ASSERT_THAT(protocol, IsOk());
  EXPECT_THAT(protocol->gallery, ElementsAre(2u));
  EXPECT_THAT(protocol->strangers, ElementsAre(0u, 1u));
}

TEST(IdentificationTest, EnrolsTheFirstPhotoInNameOrder) {
  const EmbeddingSet set = People();
  const auto protocol = FirstPhotoProtocol(set);
  ASSERT_THAT(protocol, IsOk());
  EXPECT_THAT(protocol->gallery, ElementsAre(1u, 2u));
  ASSERT_EQ(protocol->probes.size(), 3u);
  EXPECT_EQ(protocol->probes[0].photo, 0u);
  EXPECT_EQ(protocol->probes[2].person, 1u);
  EXPECT_THAT(protocol->strangers, ElementsAre(5u, 6u));
  const auto three = FirstPhotoProtocol(set, 3);
  ASSERT_THAT(three, IsOk());
  EXPECT_THAT(three->gallery, ElementsAre(2u));
  EXPECT_EQ(three->strangers.size(), 2u);  // people with one photo, whatever is asked for
  EXPECT_THAT(FirstPhotoProtocol(set, 4), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(FirstPhotoProtocol(set, 1), StatusIs(StatusCode::kInvalidArgument));
}

TEST(IdentificationTest, NobodyIsFoundWithoutAFace) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<std::string> names = {"a/1", "a/2", "b/1", "b/2", "c/1"};
  // The probe of a, the enrolled photo of b and the stranger have no face.
  const std::vector<float> values = {1, 0, nan, nan, nan, nan, 0, 1, nan, nan};
  EXPECT_THAT(EmbeddingSet::Make(names, 2, values, {}, MirrorRule::kPlain),
              StatusIs(StatusCode::kInvalidArgument));
  const auto set = EmbeddingSet::Make(names, 2, values, {}, MirrorRule::kPlain, NoFaceRule::kMiss);
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->without_face(), 3u);
  EXPECT_EQ(set->Score(0, 1), kNoScore);
  const auto scores = IdentificationScores::Compute(*set, *FirstPhotoProtocol(*set));
  EXPECT_EQ(scores.HitsAtRank(2), 0u);
  EXPECT_EQ(scores.HitsAtRank(1000), 0u);  // more than there are people
  const auto rate = scores.AtFpir(0.5);
  ASSERT_THAT(rate, IsOk());
  EXPECT_EQ(rate->threshold, kNoScore);
  EXPECT_EQ(rate->tpir.value, 0.0);
  // Part of a row is no missing face but a broken file.
  const std::vector<float> broken = {1, 0, nan, 1, 0, 1, 0, 1, 1, 0};
  EXPECT_THAT(EmbeddingSet::Make(names, 2, broken, {}, MirrorRule::kPlain, NoFaceRule::kMiss),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(IdentificationTest, CountsRanksAndStrangers) {
  const EmbeddingSet set = People();
  const auto scores = IdentificationScores::Compute(set, *FirstPhotoProtocol(set));
  EXPECT_EQ(scores.HitsAtRank(1), 2u);  // bert/2 is nearer to anna
  EXPECT_EQ(scores.HitsAtRank(2), 3u);
  EXPECT_NEAR(scores.AtRank(1).value, 2.0 / 3.0, 1e-12);
  // The nearest stranger is 13 degrees from bert, the other 60: with half of them let in the
  // threshold is the second's score, and both right answers lie above either.
  EXPECT_NEAR(scores.AtFpir(0.0)->threshold, std::cos(13 * 0.017453292519943295), 1e-6);
  EXPECT_NEAR(scores.AtFpir(0.5)->threshold, std::cos(60 * 0.017453292519943295), 1e-6);
  EXPECT_NEAR(scores.AtFpir(0.0)->tpir.value, 2.0 / 3.0, 1e-12);
  EXPECT_THAT(scores.AtFpir(1.0), StatusIs(StatusCode::kInvalidArgument));
}

TEST(IdentificationTest, EqualScoresRankInTheGallerysOrder) {
  const EmbeddingSet set = Circle({{"a/1.jpg", 0}, {"a/2.jpg", 5}, {"b/1.jpg", 0}, {"b/2.jpg", 5}});
  const auto scores = IdentificationScores::Compute(set, *FirstPhotoProtocol(set));
  EXPECT_EQ(scores.HitsAtRank(1), 1u);
  EXPECT_THAT(scores.AtFpir(0.1), StatusIs(StatusCode::kInvalidArgument));
}

// So many that threads share them: each third probe is nearer to the next person.
TEST(IdentificationTest, CountsTheSameOfMany) {
  constexpr size_t kMany = 2100;
  std::vector<std::pair<std::string, double>> photos;
  for (size_t i = 0; i < kMany; ++i) {
    const double angle = 0.08 * static_cast<double>(i);
    photos.emplace_back(fmt::format("{:04}/1.jpg", i), angle);
    photos.emplace_back(fmt::format("{:04}/2.jpg", i), angle + (i % 3 == 0 ? 0.07 : 0.01));
  }
  const EmbeddingSet set = Circle(photos);
  const auto scores = IdentificationScores::Compute(set, *FirstPhotoProtocol(set));
  EXPECT_EQ(scores.HitsAtRank(1), kMany / 3 * 2);
  EXPECT_EQ(scores.HitsAtRank(2), kMany);
}

TEST(EmbeddingSetTest, AddsOrJoinsMirrorImages) {
  const std::vector<float> plain = {1, 0, 0, 2};
  const std::vector<float> mirrored = {0, 1, 0, 2};
  const auto sum = EmbeddingSet::Make({"a", "b"}, 2, plain, mirrored, MirrorRule::kSum);
  ASSERT_THAT(sum, IsOk());
  EXPECT_NEAR(sum->row(0)[1], std::sqrt(0.5), 1e-12);
  EXPECT_NEAR(sum->Score(0, 1), std::sqrt(0.5), 1e-12);
  const auto both = EmbeddingSet::Make({"a", "b"}, 2, plain, mirrored, MirrorRule::kConcat);
  ASSERT_THAT(both, IsOk());
  EXPECT_EQ(both->dimension(), 4u);
  EXPECT_NEAR(both->Score(0, 1), 0.5, 1e-12);
  EXPECT_THAT(both->IndexOf("c"), StatusIs(StatusCode::kNotFound));
}

TEST(EmbeddingSetTest, RefusesWhatIsNoEmbedding) {
  const auto refused = [](std::vector<std::string> names, const std::vector<float>& raw) {
    EXPECT_THAT(EmbeddingSet::Make(std::move(names), 2, raw, {}, MirrorRule::kPlain),
                StatusIs(StatusCode::kInvalidArgument));
  };
  refused({"a"}, {0, 0});
  refused({"a"}, {1, std::nanf("")});
  refused({"a"}, {1, 0, 0});
  refused({"a", "a"}, {1, 0, 0, 1});
}

}  // namespace
}  // namespace facegate
