// The scores between the identities of a collection, which a collection is calibrated with.

#include "index/rows/self_comparison.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

class KeptScores : public ScoreSink {
 public:
  Status Begin(size_t identities, size_t templates, size_t left_out) override {
    identities_ = identities;
    left_out_ = left_out;
    templates_ = templates;
    return OkStatus();
  }
  Status AddTemplate(size_t identity, std::span<const float> scores) override {
    rows_.emplace_back(identity, std::vector<float>(scores.begin(), scores.end()));
    return OkStatus();
  }
  Status AddPair(size_t identity, float score) override {
    pairs_.emplace_back(identity, score);
    return OkStatus();
  }

  size_t identities_ = 0;
  size_t templates_ = 0;
  size_t left_out_ = 0;
  std::vector<std::pair<size_t, std::vector<float>>> rows_;
  std::vector<std::pair<size_t, float>> pairs_;
};

class SelfComparisonTest : public GalleryTest {
 protected:
  static constexpr uint64_t kAll = 1'000'000;

  KeptScores Compare(uint64_t most, uint64_t seed = 1) const {
    KeptScores kept;
    EXPECT_THAT(
        gallery_->CompareIdentities(
            "people", {.most_comparisons = most, .seed = seed, .least_quality = 0.5}, kept, {}),
        IsOk());
    return kept;
  }
};

TEST_F(SelfComparisonTest, GivesTheScoreOfEachTemplateWithTheFirstOfEachIdentity) {
  const Embedding jane = Random(), john = Random(), other_john = Random();
  Enrol("jane", jane);
  Enrol("john", john);
  Enrol("john", other_john);
  const KeptScores kept = Compare(kAll);
  EXPECT_EQ(kept.identities_, 2u);
  EXPECT_EQ(kept.templates_, 3u);
  ASSERT_EQ(kept.rows_.size(), 3u);
  const size_t number_of_john = kept.pairs_.front().first;
  const float first = CosineScore(jane.values(), john.values());
  const float second = CosineScore(jane.values(), other_john.values());
  std::multiset<float> between;
  for (const auto& [identity, scores] : kept.rows_) between.insert(scores[1 - identity]);
  EXPECT_EQ(between, (std::multiset<float>{first, first, second}));
  EXPECT_THAT(kept.pairs_, ElementsAre(std::pair(number_of_john,
                                                 CosineScore(other_john.values(), john.values()))));
}

TEST_F(SelfComparisonTest, LeavesOutTemplatesOfLessQuality) {
  const auto enrol = [&](const std::string& identity, std::optional<float> quality) {
    NewTemplate added = TemplateOf(Random());
    added.quality = quality;
    const std::vector<NewTemplate> one{added};
    ASSERT_THAT(gallery_->Enrol("people", identity, TestModel(), one, {}), IsOk());
  };
  enrol("jane", 0.25f);
  enrol("john", 0.25f);
  enrol("john", 0.75f);
  enrol("ada", std::nullopt);
  const KeptScores kept = Compare(kAll);
  EXPECT_EQ(kept.identities_, 2u) << "jane has no other";
  EXPECT_EQ(kept.templates_, 2u);
  EXPECT_EQ(kept.left_out_, 1u);
}

// It takes as many people as can be, before second templates.
TEST_F(SelfComparisonTest, ComparesMorePeopleRatherThanMoreTemplates) {
  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 3; ++k) Enrol(fmt::format("p{}", i), Random());
  }
  EXPECT_EQ(Compare(100).identities_, 10u);
  EXPECT_EQ(Compare(100).templates_, 10u);
  EXPECT_EQ(Compare(250).templates_, 25u);
  EXPECT_EQ(Compare(250).pairs_.size(), 10u + 2 * 5u);
}

TEST_F(SelfComparisonTest, LeavesOutIdentitiesWithoutTemplates) {
  Enrol("jane", Random());
  const uint64_t only = Enrol("john", Random());
  ASSERT_THAT(gallery_->DeleteTemplate("people", "john", only), IsOk());
  EXPECT_EQ(Compare(kAll).identities_, 1u);
}

TEST_F(SelfComparisonTest, LooksAtTheFirstTemplatesOfAnIdentity) {
  for (size_t i = 0; i < kComparedTemplates + 3; ++i) Enrol("jane", Random());
  EXPECT_EQ(Compare(kAll).templates_, kComparedTemplates);
}

TEST_F(SelfComparisonTest, DrawsAsManyAsTheComparisonsAllow) {
  for (int i = 0; i < 30; ++i) Enrol(fmt::format("p{}", i), Random());
  const KeptScores some = Compare(100);
  EXPECT_EQ(some.identities_, 10u);
  EXPECT_EQ(Compare(100).rows_, some.rows_) << "the same seed draws the same";
  EXPECT_NE(Compare(100, 2).rows_, some.rows_);
}

TEST_F(SelfComparisonTest, EndsWhenNobodyWaitsOrTheSinkIsFull) {
  Enrol("jane", Random());
  KeptScores kept;
  EXPECT_THAT(gallery_->CompareIdentities("people", {.most_comparisons = kAll}, kept,
                                          [] { return Refuse(Reason::kDeadline, "late"); }),
              RefusedWith(Reason::kDeadline));
  class Full : public KeptScores {
    Status Begin(size_t /*identities*/, size_t /*templates*/, size_t /*left_out*/) override {
      return InvalidArgument("too few");
    }
  } full;
  EXPECT_THAT(gallery_->CompareIdentities("people", {.most_comparisons = kAll}, full, {}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(gallery_->CompareIdentities("nobody", {.most_comparisons = kAll}, kept, {}),
              RefusedWith(Reason::kCollectionNotFound));
}

}  // namespace
}  // namespace facegate
