#include "index/rows/cohort.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

constexpr size_t kDimension = 32;

TEST(CohortDrawTest, IsTheSameWhateverTheOrder) {
  CohortDraw up;
  CohortDraw down;
  for (uint64_t i = 1; i <= 3000; ++i) up.Add(i);
  for (uint64_t i = 3000; i >= 1; --i) down.Add(i);
  EXPECT_EQ(up.size(), kCohortSize);
  EXPECT_EQ(up.Members(), down.Members());
  std::vector<uint64_t> members = up.Members();
  const auto low =
      std::count_if(members.begin(), members.end(), [](auto id) { return id <= 1500; });
  EXPECT_NEAR(static_cast<double>(low), kCohortSize / 2.0, 60.0)
      << "a draw, not those of the start";
}

TEST(CohortDrawTest, GivesTheNextOneThePlaceOfAMember) {
  CohortDraw draw;
  for (uint64_t i = 1; i <= 2000; ++i) draw.Add(i);
  const uint64_t gone = draw.Members().front();
  EXPECT_TRUE(draw.Remove(gone));
  EXPECT_FALSE(draw.Remove(gone));
  CohortDraw without;
  for (uint64_t i = 1; i <= 2000; ++i) {
    if (i != gone) without.Add(i);
  }
  EXPECT_EQ(draw.Members(), without.Members());
}

// Whatever comes and goes, the members are those of a draw among all who are there.
TEST(CohortDrawTest, IsThatOfAllAmidChanges) {
  std::mt19937_64 random(1);
  CohortDraw draw;
  std::set<uint64_t> there;
  int refilled = 0;
  for (uint64_t i = 1; i <= 6000; ++i) {
    draw.Add(i);
    there.insert(i);
  }
  for (int round = 0; round < 8000; ++round) {
    const uint64_t one = random() % 6000 + 1;
    // At first more go than come.
    if (there.contains(one) && (round < 5000 || random() % 2 == 0)) {
      const std::vector<uint64_t> members = draw.Members();
      const bool was_member = std::find(members.begin(), members.end(), one) != members.end();
      EXPECT_EQ(draw.Remove(one), was_member);
      there.erase(one);
    } else if (round >= 5000) {
      draw.Add(one);
      there.insert(one);
    }
    if (draw.IsUsedUp()) {
      refilled += 1;
      draw.Clear();
      for (const uint64_t identity : there) draw.Add(identity);
    }
    if (round % 500 != 0) continue;
    CohortDraw anew;
    for (const uint64_t identity : there) anew.Add(identity);
    ASSERT_EQ(draw.Members(), anew.Members()) << round;
  }
  EXPECT_LT(refilled, 3) << "a reserve is there for that";
}

class CohortTest : public ::testing::Test {
 protected:
  CohortTest() {
    for (size_t i = 0; i < 200; ++i) faces_.push_back(RandomEmbedding(random_, kDimension));
    std::vector<Cohort::Member> members;
    for (size_t i = 0; i < faces_.size(); ++i) {
      members.push_back({.identity = i + 1, .vector = faces_[i].values()});
    }
    cohort_ = Cohort::Make(members).value();
  }

  // The mean of the 20 highest cosines with others than `identity`.
  double CommonOf(const Embedding& face, uint64_t identity) const {
    std::vector<double> cosines;
    for (size_t i = 0; i < faces_.size(); ++i) {
      if (i + 1 != identity) cosines.push_back(CosineScore(face.values(), faces_[i].values()));
    }
    std::sort(cosines.rbegin(), cosines.rend());
    double sum = 0.0;
    for (size_t i = 0; i < 20; ++i) sum += cosines[i];
    return sum / 20;
  }

  std::mt19937_64 random_{5};
  std::vector<Embedding> faces_;
  std::shared_ptr<const Cohort> cohort_;
};

TEST_F(CohortTest, FindsWhatAFaceHasInCommonWithThoseMostLikeIt) {
  const Embedding face = RandomEmbedding(random_, kDimension);
  EXPECT_NEAR(cohort_->Common(cohort_->Scores(face.values()), 0), CommonOf(face, 0), 1e-6);
  EXPECT_NEAR(cohort_->Common(cohort_->Scores(faces_[6].values()), 7), CommonOf(faces_[6], 7), 1e-6)
      << "not with itself";
}

TEST_F(CohortTest, TakesOffWhatBothHaveInCommonBeyondTheUsual) {
  double usual = 0.0;
  for (size_t i = 0; i < kLeastCohort; ++i) usual += CommonOf(faces_[i], i + 1) / kLeastCohort;
  size_t lowered = 0;
  for (int i = 0; i < 20; ++i) {
    const Embedding probe = RandomEmbedding(random_, kDimension);
    const double more = (CommonOf(probe, 7) + CommonOf(faces_[6], 7)) / 2 - usual;
    const float score =
        cohort_->Normalised(0.4f, cohort_->Scores(probe.values()), 7, faces_[6].values());
    EXPECT_NEAR(score, 0.4 - std::max(0.0, more), 1e-6);
    lowered += score < 0.4f ? 1 : 0;
  }
  EXPECT_GT(lowered, 2u);
  EXPECT_LT(lowered, 18u) << "nobody is taken for more alike than he is";
}

}  // namespace
}  // namespace facegate
