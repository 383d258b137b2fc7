// These tests are of what a search can be told: labels, a least score, the mean of the two best.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/index/local/gallery_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SearchOptionsTest : public GalleryTest {
 protected:
  void SetLabels(const std::string& identity, Labels labels) {
    ASSERT_THAT(
        gallery_->UpdateLabels("people", identity,
                               {.replace_all = true, .set = std::move(labels), .remove = {}}, ""),
        IsOk());
  }
  std::vector<Candidate> Find(const SearchOptions& options) const {
    const auto found = gallery_->Search("people", TestModel(), probe_, options);
    EXPECT_THAT(found, IsOk());
    return found.ok() ? *found : std::vector<Candidate>();
  }
  std::vector<std::string> Names(const Labels& labels) const {
    std::vector<std::string> names;
    for (const Candidate& candidate : Find({.k = 1000, .least_score = {}, .labels = labels})) {
      names.push_back(candidate.identity);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  Embedding Near(float spread) { return RandomEmbeddingNear(random_, probe_, spread); }

  const Embedding probe_ = Random();
};

TEST_F(SearchOptionsTest, LabelsMustAllBeThere) {
  for (const char* name : {"ada", "ben", "cem", "dan"}) Enrol(name, Random());
  SetLabels("ada", {{"floor", "1"}, {"team", "red"}});
  SetLabels("ben", {{"floor", "1"}, {"team", "blue"}});
  SetLabels("cem", {{"floor", "2"}, {"team", "red"}});
  EXPECT_THAT(Names({{"floor", "1"}}), ElementsAre("ada", "ben"));
  EXPECT_THAT(Names({{"team", "red"}}), ElementsAre("ada", "cem"));
  EXPECT_THAT(Names({{"floor", "1"}, {"team", "red"}}), ElementsAre("ada"));
  EXPECT_THAT(Names({{"floor", "2"}, {"team", "blue"}}), IsEmpty());
  EXPECT_THAT(Names({{"floor", "3"}}), IsEmpty());
  EXPECT_EQ(Names({}).size(), 4u);
}

// Whatever makes the score, those who have a label are found as among all, without the others.
TEST_F(SearchOptionsTest, LabelsLeaveOutOthersAndChangeNothingElse) {
  for (int i = 0; i < 240; ++i) Enrol(fmt::format("p{}", i % 120), Near(1.0f));
  for (int i = 0; i < 120; i += 3) SetLabels(fmt::format("p{}", i), {{"third", "yes"}});
  const Labels labels{{"third", "yes"}};
  for (const Fusion fusion :
       {Fusion::kBestTemplate, Fusion::kMeanTemplate, Fusion::kMeanOfTwoBest}) {
    for (const bool cohort : {false, true}) {
      ASSERT_THAT(gallery_->UpdateCollection("people", {.fusion = fusion, .cohort = cohort}, ""),
                  IsOk());
      std::vector<Candidate> expected = Find({.k = 1000});
      std::erase_if(expected, [](const Candidate& candidate) {
        return std::stoi(candidate.identity.substr(1)) % 3 != 0;
      });
      const std::vector<Candidate> found = Find({.k = 1000, .least_score = {}, .labels = labels});
      ASSERT_EQ(found.size(), 40u);
      ASSERT_EQ(expected.size(), 40u);
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].identity, expected[i].identity) << i;
        EXPECT_EQ(found[i].template_id, expected[i].template_id) << i;
        EXPECT_EQ(found[i].score, expected[i].score) << i;
      }
    }
  }
}

TEST_F(SearchOptionsTest, LabelsFollowEveryChange) {
  for (const char* name : {"ada", "ben"}) Enrol(name, Random());
  SetLabels("ada", {{"team", "red"}});
  SetLabels("ben", {{"team", "red"}});
  ASSERT_THAT(gallery_->RenameIdentity("people", "ada", "eve", ""), IsOk());
  EXPECT_THAT(Names({{"team", "red"}}), ElementsAre("ben", "eve"));
  Enrol("eve", Random());
  EXPECT_THAT(Names({{"team", "red"}}), ElementsAre("ben", "eve"));
  Reopen();
  EXPECT_THAT(Names({{"team", "red"}}), ElementsAre("ben", "eve"));
  SetLabels("eve", {});
  EXPECT_THAT(Names({{"team", "red"}}), ElementsAre("ben"));
  ASSERT_THAT(gallery_->MergeIdentities("people", {"ben", ""}, {"eve", ""}), IsOk());
  EXPECT_THAT(Names({{"team", "red"}}), ElementsAre("eve"));
  ASSERT_THAT(gallery_->DeleteIdentity("people", "eve"), IsOk());
  EXPECT_THAT(Names({{"team", "red"}}), IsEmpty());
}

TEST_F(SearchOptionsTest, RefusesLabelsThatNobodyCanHave) {
  EXPECT_THAT(
      gallery_->Search("people", TestModel(), probe_, {.k = 1, .labels = {{"Not a key", ""}}}),
      RefusedWith(Reason::kInvalidField));
}

TEST_F(SearchOptionsTest, GivesNobodyBelowTheLeastScore) {
  for (int i = 0; i < 200; ++i) Enrol(fmt::format("p{}", i), Near(0.02f * static_cast<float>(i)));
  const std::vector<Candidate> all = Find({.k = 200});
  for (const size_t kept : {size_t{0}, size_t{1}, size_t{70}, size_t{200}}) {
    const double least = kept == 0 ? 1.1 : static_cast<double>(all[kept - 1].score);
    const std::vector<Candidate> found = Find({.k = 200, .least_score = least});
    ASSERT_EQ(found.size(), kept);
    for (size_t i = 0; i < kept; ++i) EXPECT_EQ(found[i].template_id, all[i].template_id);
  }
}

// Something changes at one of the moments at which a search asks whether it is wanted: at each of
// them in turn, whatever makes the score and with or without labels.
class ChangeAmidSearchTest : public SearchOptionsTest {
 protected:
  static constexpr int kMostAsked = 40;

  // What the search gives when `change` comes at its question `at`; nothing when it asks less
  // often.
  std::optional<std::vector<Candidate>> FindAmid(int at, const SearchOptions& options,
                                                 const std::function<void()>& change) const {
    int asked = 0;
    const auto found = gallery_->Search("people", TestModel(), probe_, options, [&] {
      if (++asked == at) change();
      return OkStatus();
    });
    EXPECT_THAT(found, IsOk());
    if (asked < at || !found.ok()) return std::nullopt;
    return *found;
  }
  // Calls `check` with each way to search and each moment.
  void ForAll(const std::function<bool(int, const SearchOptions&)>& check) {
    for (const Fusion fusion :
         {Fusion::kBestTemplate, Fusion::kMeanTemplate, Fusion::kMeanOfTwoBest}) {
      ASSERT_THAT(gallery_->UpdateCollection("people", {.fusion = fusion}, ""), IsOk());
      for (const Labels& labels : {Labels(), Labels{{"team", "red"}}}) {
        int at = 1;
        while (at < kMostAsked && check(at, {.k = 1, .least_score = {}, .labels = labels})) ++at;
        EXPECT_GT(at, 3) << "it asks";
        EXPECT_LT(at, kMostAsked) << "it ends";
      }
    }
  }
  static std::string FirstOf(const std::vector<Candidate>& found) {
    return found.empty() ? "nobody" : found.front().identity;
  }
  void Delete(const std::string& identity) {
    EXPECT_THAT(gallery_->DeleteIdentity("people", identity), IsOk());
  }
};

TEST_F(ChangeAmidSearchTest, WhoTookOverTheTemplatesIsFound) {
  ForAll([&](int at, const SearchOptions& options) {
    Enrol("t", Random());
    Enrol("s", probe_);
    Enrol("s", probe_);
    SetLabels("s", {{"team", "red"}});
    const auto found = FindAmid(at, options, [&] {
      EXPECT_THAT(gallery_->MergeIdentities("people", {"s", ""}, {"t", ""}), IsOk());
    });
    if (!found.has_value()) Delete("s");
    Delete("t");
    if (!found.has_value()) return false;
    EXPECT_EQ(FirstOf(*found), "t") << at;
    return true;
  });
}

TEST_F(ChangeAmidSearchTest, WhoWasDeletedIsNotFound) {
  Enrol("other", Random());
  SetLabels("other", {{"team", "red"}});
  ForAll([&](int at, const SearchOptions& options) {
    Enrol("t", probe_);
    SetLabels("t", {{"team", "red"}});
    const auto found = FindAmid(at, options, [&] { Delete("t"); });
    if (!found.has_value()) {
      Delete("t");
      return false;
    }
    EXPECT_EQ(FirstOf(*found), "other") << at;
    return true;
  });
}

TEST_F(ChangeAmidSearchTest, WhoGetsAnotherTemplateIsFound) {
  Enrol("other", Random());
  SetLabels("other", {{"team", "red"}});
  Enrol("t", probe_);
  Enrol("t", probe_);
  SetLabels("t", {{"team", "red"}});
  ForAll([&](int at, const SearchOptions& options) {
    const auto found = FindAmid(at, options, [&] { Enrol("t", Near(0.2f)); });
    if (!found.has_value()) return false;
    EXPECT_EQ(FirstOf(*found), "t") << at;
    return true;
  });
}

class TwoBestTest : public SearchOptionsTest {
 protected:
  TwoBestTest() {
    FACEGATE_CHECK(
        gallery_->UpdateCollection("people", {.fusion = Fusion::kMeanOfTwoBest}, "").ok());
  }
  // By the definition, from what the gallery tells of its templates.
  std::vector<Candidate> FullScan(size_t k) const {
    std::vector<Candidate> all;
    for (const auto& identity : IdentitiesOf(*gallery_, "people")) {
      std::vector<std::pair<float, uint64_t>> scores;
      for (const auto& one : identity.templates) {
        scores.emplace_back(-CosineScore(probe_.values(), std::get<4>(one)), std::get<0>(one));
      }
      std::sort(scores.begin(), scores.end());
      const double best = -scores.front().first;
      const double second = scores.size() > 1 ? -scores[1].first : best;
      all.push_back({.identity = identity.id,
                     .template_id = scores.front().second,
                     .cosine = static_cast<float>((best + second) / 2)});
    }
    std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      return a.cosine != b.cosine ? a.cosine > b.cosine : a.template_id < b.template_id;
    });
    if (all.size() > k) all.resize(k);
    return all;
  }
  void ExpectFullScan(size_t k) {
    const std::vector<Candidate> found = Find({.k = k});
    const std::vector<Candidate> expected = FullScan(k);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].identity, expected[i].identity) << i;
      EXPECT_EQ(found[i].template_id, expected[i].template_id) << i;
      EXPECT_EQ(found[i].cosine, expected[i].cosine) << i;
      EXPECT_EQ(found[i].score, found[i].cosine);
      const auto one = gallery_->Score("people", found[i].identity, TestModel(), probe_);
      ASSERT_THAT(one, IsOk());
      EXPECT_EQ(one->cosine, found[i].cosine);
    }
  }
};

TEST_F(TwoBestTest, EqualsAFullScan) {
  for (int i = 0; i < 400; ++i) {
    Enrol(fmt::format("p{}", random_() % 150), Near(0.5f + 0.01f * static_cast<float>(i % 200)));
  }
  for (const size_t k : {size_t{1}, size_t{3}, size_t{20}, size_t{500}}) ExpectFullScan(k);
}

// The 50 with the highest cosines are normalised, whoever else would be better then.
TEST_F(TwoBestTest, EqualsAFullScanWithACohort) {
  ASSERT_THAT(gallery_->UpdateCollection("people", {.cohort = true}, ""), IsOk());
  for (int i = 0; i < 260; ++i) Enrol(fmt::format("p{}", i % 130), Near(1.0f));
  std::vector<Candidate> expected = FullScan(50);
  for (Candidate& one : expected) {
    const auto score = gallery_->Score("people", one.identity, TestModel(), probe_);
    ASSERT_THAT(score, IsOk());
    ASSERT_TRUE(score->is_normalised);
    one.score = score->score;
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  const std::vector<Candidate> found = Find({.k = 10});
  ASSERT_EQ(found.size(), 10u);
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].identity, expected[i].identity) << i;
    EXPECT_EQ(found[i].score, expected[i].score) << i;
  }
}

// One odd photo of a person is the nearest of all, and does not match by itself.
TEST_F(TwoBestTest, OnePhotoAloneDoesNotDecide) {
  Enrol("odd", probe_);
  Enrol("odd", Random());
  for (int i = 0; i < 2; ++i) Enrol("right", Near(0.6f));
  Enrol("single", Near(0.9f));
  EXPECT_EQ(Find({.k = 1}).front().identity, "right");
  ExpectFullScan(3);
}

TEST_F(TwoBestTest, LooksAtFewOfMany) {
  for (int i = 0; i < 400; ++i) Enrol(fmt::format("p{}", i / 2), i < 2 ? Near(0.3f) : Random());
  const GalleryStats before = gallery_->Stats().value();
  Find({.k = 1});
  const GalleryStats after = gallery_->Stats().value();
  EXPECT_EQ(after.scanned_rows - before.scanned_rows, 800u) << "two scans";
  EXPECT_LT(after.scored_rows - before.scored_rows, 60u);
}

TEST_F(TwoBestTest, StaysWhenTheGalleryIsOpenedAgain) {
  for (int i = 0; i < 30; ++i) Enrol(fmt::format("p{}", i % 10), Random());
  Reopen();
  ExpectFullScan(4);
}

TEST_F(TwoBestTest, GivesNobodyBelowTheLeastScore) {
  for (int i = 0; i < 60; ++i) Enrol(fmt::format("p{}", i % 30), Near(1.0f));
  const std::vector<Candidate> expected = FullScan(30);
  const auto least = static_cast<double>(expected[6].cosine);
  EXPECT_EQ(Find({.k = 30, .least_score = least}).size(), 7u);
  EXPECT_EQ(Find({.k = 5, .least_score = least}).size(), 5u);
}

}  // namespace
}  // namespace facegate
