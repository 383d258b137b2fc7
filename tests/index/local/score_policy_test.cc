// These tests are of how the templates of an identity make one score: CollectionSettings::fusion
// and cohort.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "index/rows/cohort.h"
#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

constexpr float kAlike = 0.7f;  // spread of a person's faces

class ScorePolicyTest : public GalleryTest {
 protected:
  void SetPolicy(std::optional<Fusion> fusion, std::optional<bool> cohort = {}) {
    ASSERT_THAT(gallery_->UpdateCollection("people", {.fusion = fusion, .cohort = cohort}, ""),
                IsOk());
  }
  uint64_t EnrolWith(const std::string& identity, const Embedding& face,
                     std::optional<float> quality) {
    NewTemplate one = TemplateOf(face);
    one.quality = quality;
    const auto result = gallery_->Enrol("people", identity, TestModel(), {&one, 1}, {});
    EXPECT_THAT(result, IsOk());
    return result.ok() ? result->template_ids.front() : 0;
  }
  Embedding Near(const Embedding& person) { return RandomEmbeddingNear(random_, person, kAlike); }
  Candidate ScoreOf(const std::string& identity, const Embedding& probe) const {
    const auto score = gallery_->Score("people", identity, TestModel(), probe);
    EXPECT_THAT(score, IsOk());
    return score.ok() ? *score : Candidate();
  }
  // Computes one mean of each identity from what the gallery tells of its templates.
  std::map<std::string, Embedding> Means() const {
    std::map<std::string, Embedding> means;
    for (const auto& identity : IdentitiesOf(*gallery_, "people")) {
      if (identity.templates.empty()) continue;
      std::vector<float> sum(kSize);
      for (const auto& one : identity.templates) {
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += std::get<4>(one)[i];
      }
      means.emplace(identity.id, UnitOf(sum));
    }
    return means;
  }
  void ExpectScoresOfMeans() {
    const auto means = Means();
    const Embedding probe = Random();
    const auto found = Search(probe, 1000);
    ASSERT_THAT(found, IsOk());
    EXPECT_EQ(found->size(), means.size());
    float last = 2.0f;
    for (const Candidate& candidate : *found) {
      ASSERT_TRUE(means.contains(candidate.identity));
      EXPECT_NEAR(candidate.cosine,
                  CosineScore(probe.values(), means.at(candidate.identity).values()), 1e-5f);
      EXPECT_EQ(candidate.score, candidate.cosine);
      EXPECT_LE(candidate.score, last);
      last = candidate.score;
      const Candidate one = ScoreOf(candidate.identity, probe);
      EXPECT_EQ(one.cosine, candidate.cosine);
      EXPECT_EQ(one.template_id, candidate.template_id);
    }
  }
};

TEST_F(ScorePolicyTest, TheMeanFollowsEveryChangeOfAnIdentity) {
  SetPolicy(Fusion::kMeanTemplate);
  const Embedding jane = Random();
  std::vector<uint64_t> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Enrol("jane", Near(jane)));
  for (int i = 0; i < 70; ++i) Enrol(fmt::format("p{}", i % 40), Random());
  ExpectScoresOfMeans();
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", ids[1]), IsOk());
  ExpectScoresOfMeans();
  ASSERT_THAT(gallery_->RenameIdentity("people", "jane", "joan", ""), IsOk());
  ASSERT_THAT(gallery_->MergeIdentities("people", {"p1", ""}, {"joan", ""}), IsOk());
  ExpectScoresOfMeans();
  ASSERT_THAT(gallery_->DeleteIdentity("people", "p2"), IsOk());
  Enrol("p2", Random());
  ExpectScoresOfMeans();
  Reopen();
  ExpectScoresOfMeans();
}

TEST_F(ScorePolicyTest, AnIdentityWithoutTemplatesHasNoMean) {
  SetPolicy(Fusion::kMeanTemplate);
  const uint64_t only = Enrol("jane", Random());
  Enrol("john", Random());
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", only), IsOk());
  ExpectScoresOfMeans();
  EXPECT_THAT(gallery_->Score("people", "jane", TestModel(), Random()),
              RefusedWith(Reason::kTemplateNotFound));
  ASSERT_THAT(gallery_->MergeIdentities("people", {"john", ""}, {"jane", ""}), IsOk());
  ExpectScoresOfMeans();
  Enrol("jane", Random());
  ExpectScoresOfMeans();
}

TEST_F(ScorePolicyTest, NamesTheTemplateThatIsMostLikeTheFace) {
  SetPolicy(Fusion::kMeanTemplate);
  const Embedding one = Random();
  Enrol("jane", Random());
  const uint64_t like = Enrol("jane", one);
  EXPECT_EQ(ScoreOf("jane", one).template_id, like);
  EXPECT_LT(ScoreOf("jane", one).cosine, 0.99f);
}

TEST_F(ScorePolicyTest, WeighsTemplatesByTheirQuality) {
  SetPolicy(Fusion::kMeanTemplate);
  const Embedding good = Random();
  const Embedding poor = Random();
  EnrolWith("jane", good, 1.0f);
  EnrolWith("jane", poor, 0.25f);
  std::vector<float> mean(kSize);
  for (size_t i = 0; i < mean.size(); ++i) mean[i] = good.values()[i] + 0.25f * poor.values()[i];
  EXPECT_NEAR(ScoreOf("jane", good).cosine, CosineScore(good.values(), UnitOf(mean).values()),
              1e-5f);
}

TEST_F(ScorePolicyTest, TemplatesThatCancelEachOtherOutAreTheFirst) {
  SetPolicy(Fusion::kMeanTemplate);
  const Embedding face = Random();
  std::vector<float> opposite;
  for (const float value : face.values()) opposite.push_back(-value);
  Enrol("jane", face);
  Enrol("jane", UnitOf(opposite));
  EXPECT_NEAR(ScoreOf("jane", face).cosine, 1.0f, 1e-6f);
}

TEST_F(ScorePolicyTest, IsChangedAndChangedBack) {
  const Embedding jane = Random();
  for (int i = 0; i < 3; ++i) Enrol("jane", Near(jane));
  const Embedding probe = Near(jane);
  const float best = ScoreOf("jane", probe).cosine;
  SetPolicy(Fusion::kMeanTemplate);
  EXPECT_EQ(gallery_->GetCollection("people")->settings.fusion, Fusion::kMeanTemplate);
  const float mean = ScoreOf("jane", probe).cosine;
  EXPECT_NE(mean, best);
  ExpectScoresOfMeans();
  Reopen();
  EXPECT_EQ(gallery_->GetCollection("people")->settings.fusion, Fusion::kMeanTemplate);
  EXPECT_EQ(ScoreOf("jane", probe).cosine, mean);
  SetPolicy(Fusion::kBestTemplate);
  EXPECT_EQ(ScoreOf("jane", probe).cosine, best);
}

// The guards ask for one face's likeness to another, not for a policy's opinion.
TEST_F(ScorePolicyTest, DoesNotBlindTheGuards) {
  SetPolicy(Fusion::kMeanTemplate);
  const Embedding face = Random();
  Enrol("jane", face);
  Enrol("jane", Random());
  Enrol("jane", Random());
  const std::vector<NewTemplate> same{TemplateOf(face)};
  EXPECT_THAT(gallery_->Enrol("people", "john", TestModel(), same, {.unique_from = 0.99f}),
              RefusedWith(Reason::kDuplicateFace));
}

TEST_F(ScorePolicyTest, ThereIsNoCohortOfAFew) {
  SetPolicy({}, true);
  for (size_t i = 0; i + 1 < kLeastCohort; ++i) Enrol(fmt::format("p{}", i), Random());
  const Candidate before = Search(Random(), 1)->front();
  EXPECT_FALSE(before.is_normalised);
  EXPECT_EQ(before.score, before.cosine);
  Enrol("last", Random());
  EXPECT_TRUE(Search(Random(), 1)->front().is_normalised);
}

TEST_F(ScorePolicyTest, ACohortMakesLessOfAFaceThatIsLikeEverybody) {
  SetPolicy({}, true);
  const Embedding usual = Random();
  for (int i = 0; i < 150; ++i) {
    Enrol(fmt::format("p{}", i), i % 2 == 0 ? Random() : RandomEmbeddingNear(random_, usual, 1.5f));
  }
  Enrol("everybody", usual);
  const Embedding probe = RandomEmbeddingNear(random_, usual, 1.0f);
  const Candidate everybody = ScoreOf("everybody", probe);
  EXPECT_LT(everybody.score, everybody.cosine - 0.05f);
  const auto found = Search(probe, 10);
  ASSERT_THAT(found, IsOk());
  EXPECT_TRUE(std::is_sorted(found->begin(), found->end(),
                             [](const auto& a, const auto& b) { return a.score > b.score; }));
  for (const Candidate& one : *found) {
    EXPECT_EQ(ScoreOf(one.identity, probe).score, one.score) << one.identity;
  }
}

// Nobody has a part in scores who is no longer there: the next search is as if he had never been.
// Those who go are like each other and like the probe, so that they have weight in scores.
class CohortDeletionTest : public ScorePolicyTest {
 protected:
  static constexpr size_t kPeople = 160;
  static constexpr size_t kGone = 12;

  void EnrolPeople(const std::string& collection, size_t from) {
    for (size_t i = from; i < faces_.size(); ++i) {
      Enrol(fmt::format("p{}", i), faces_[i], collection);
    }
  }
  void SetUp() override {
    const Embedding usual = Random();
    for (size_t i = 0; i < kPeople; ++i) {
      faces_.push_back(i < kGone ? RandomEmbeddingNear(random_, usual, 0.4f) : Random());
    }
    probe_ = RandomEmbeddingNear(random_, usual, 0.4f);
    SetPolicy({}, true);
    EnrolPeople("people", 0);
    before_ = Search(*probe_, 5);  // makes the cohort
    ASSERT_THAT(before_, IsOk());
    ASSERT_THAT(gallery_->CreateCollection("fresh", TestModel(), kSize, {.cohort = true}), IsOk());
  }
  // The scores of those who are left are those of a collection that never had the others.
  void ExpectScoresWithoutThem() {
    EnrolPeople("fresh", kGone);
    const auto left = Search(*probe_, 5);
    const auto fresh = Search(*probe_, 5, "fresh");
    ASSERT_TRUE(left.ok() && fresh.ok());
    for (size_t i = 0; i < 5; ++i) {
      EXPECT_EQ((*left)[i].identity, (*fresh)[i].identity);
      EXPECT_NEAR((*left)[i].cosine - (*left)[i].score, (*fresh)[i].cosine - (*fresh)[i].score,
                  0.02f);
    }
    const auto took_off = [](const Candidate& one) { return one.cosine - one.score; };
    EXPECT_GT(took_off(before_->front()), took_off(left->front()) + 0.1f) << "they had weight";
  }

  std::vector<Embedding> faces_;
  std::optional<Embedding> probe_;
  StatusOr<std::vector<Candidate>> before_ = std::vector<Candidate>();
};

TEST_F(CohortDeletionTest, OfIdentities) {
  for (size_t i = 0; i < kGone; ++i) {
    ASSERT_THAT(gallery_->DeleteIdentity("people", fmt::format("p{}", i)), IsOk());
  }
  ExpectScoresWithoutThem();
}

TEST_F(CohortDeletionTest, OfTheLastTemplates) {
  for (size_t i = 0; i < kGone; ++i) {
    const std::string name = fmt::format("p{}", i);
    const auto templates = gallery_->ListTemplates("people", name, 0, 9);
    ASSERT_THAT(gallery_->DeleteTemplate("people", name, templates->front().id), IsOk());
  }
  ExpectScoresWithoutThem();
}

// Beyond those who stand for all, another one comes into the place of who is gone.
TEST_F(ScorePolicyTest, TheCohortStaysFull) {
  SetPolicy({}, true);
  const Embedding usual = Random();
  for (size_t i = 0; i < kCohortSize + 100; ++i) {
    Enrol(fmt::format("p{}", i),
          i < kCohortSize ? Random() : RandomEmbeddingNear(random_, usual, 0.4f));
  }
  for (size_t i = 0; i < kCohortSize - 100; ++i) {
    ASSERT_THAT(gallery_->DeleteIdentity("people", fmt::format("p{}", i)), IsOk());
  }
  // 200 are left, half of them like the probe: all of them stand for all.
  const Embedding probe = RandomEmbeddingNear(random_, usual, 0.4f);
  const auto found = Search(probe, 1);
  ASSERT_THAT(found, IsOk());
  EXPECT_GT(found->front().cosine - found->front().score, 0.2f);
  Reopen();
  EXPECT_EQ(Search(probe, 1)->front().score, found->front().score);
}

TEST_F(ScorePolicyTest, ChangesBesideEnrolmentsAndSearchesLoseNothing) {
  for (int i = 0; i < 120; ++i) Enrol(fmt::format("p{}", i), Random());
  std::atomic<int> enrolled{120};
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread));
    for (int round = 0; round < 25; ++round) {
      const Embedding face = RandomEmbedding(random, kSize);
      if (thread == 0) {
        EXPECT_THAT(gallery_->UpdateCollection(
                        "people",
                        {.fusion = round % 2 == 0 ? Fusion::kMeanTemplate : Fusion::kBestTemplate,
                         .cohort = round % 3 == 0},
                        ""),
                    IsOk());
      } else if (thread < 4) {
        Enrol(fmt::format("t{}-{}", thread, round), face);
        ++enrolled;
      } else {
        EXPECT_THAT(Search(face, 5), IsOk());
        EXPECT_THAT(gallery_->Score("people", "p0", TestModel(), face), IsOk());
      }
    }
  });
  SetPolicy(Fusion::kMeanTemplate, false);
  EXPECT_EQ(gallery_->Stats()->identities, static_cast<uint64_t>(enrolled));
  ExpectScoresOfMeans();
}

}  // namespace
}  // namespace facegate
