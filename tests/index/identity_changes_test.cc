// Labels, etags, new ids and merges of identities: what they change, and that memory, index and
// store agree about it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "index/collection.h"
#include "tests/index/gallery_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Gives what Search() must: every template compared, by what the gallery lists.
std::vector<Candidate> FullScan(const Gallery& gallery, const Embedding& query) {
  std::vector<Candidate> best;
  for (const auto& identity : IdentitiesOf(gallery, "people")) {
    std::optional<Candidate> of_identity;
    for (const auto& one : identity.templates) {
      const float cosine = CosineScore(query.values(), std::get<4>(one));
      if (!of_identity.has_value() || cosine > of_identity->cosine) {
        of_identity = {.identity = identity.id, .template_id = std::get<0>(one), .cosine = cosine};
      }
    }
    if (of_identity.has_value()) best.push_back(*of_identity);
  }
  std::sort(best.begin(), best.end(), [](const Candidate& a, const Candidate& b) {
    return a.cosine != b.cosine ? a.cosine > b.cosine : a.template_id < b.template_id;
  });
  return best;
}

LabelChange Setting(const Labels& labels, const std::vector<std::string>& remove = {}) {
  return {.replace_all = false, .set = labels, .remove = remove};
}
LabelChange ReplacingBy(const Labels& labels) {
  return {.replace_all = true, .set = labels, .remove = {}};
}

class IdentityChangesTest : public GalleryTest {
 protected:
  // Search() and Score() agree with a full scan for some random queries and `query`.
  void ExpectExact(const Embedding& query) {
    for (const Embedding& probe : {query, Random(), Random()}) {
      const std::vector<Candidate> expected = FullScan(*gallery_, probe);
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, Search(probe, SIZE_MAX));
      ASSERT_EQ(found.size(), expected.size());
      for (size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].identity, expected[i].identity);
        EXPECT_EQ(found[i].template_id, expected[i].template_id);
        EXPECT_EQ(found[i].cosine, expected[i].cosine);
        const auto score = gallery_->Score("people", found[i].identity, TestModel(), probe);
        ASSERT_THAT(score, IsOk());
        EXPECT_EQ(score->template_id, found[i].template_id);
        EXPECT_EQ(score->cosine, found[i].cosine);
      }
    }
  }
  // ... and nothing of it changes when the gallery is opened again.
  void ExpectExactAndLasting(const Embedding& query) {
    ExpectExact(query);
    const GallerySnapshot before = SnapshotOf(*gallery_);
    Reopen();
    EXPECT_EQ(SnapshotOf(*gallery_), before);
    ExpectExact(query);
  }

  IdentityInfo Get(const std::string& identity) {
    const auto info = gallery_->GetIdentity("people", identity);
    FACEGATE_CHECK(info.ok());
    return *info;
  }
  StatusOr<IdentityInfo> Label(const std::string& identity, const Labels& set,
                               const std::string& etag = "") {
    return gallery_->UpdateLabels("people", identity, Setting(set), etag);
  }
  StatusOr<IdentityInfo> Rename(const std::string& identity, const std::string& new_id,
                                const std::string& etag = "") {
    return gallery_->RenameIdentity("people", identity, new_id, etag);
  }
  StatusOr<MergeResult> Merge(const std::string& source, const std::string& target,
                              const std::string& source_etag = "",
                              const std::string& target_etag = "") {
    return gallery_->MergeIdentities("people", {.id = source, .etag = source_etag},
                                     {.id = target, .etag = target_etag});
  }
  std::vector<uint64_t> TemplatesOf(const std::string& identity) {
    std::vector<uint64_t> ids;
    const auto listed = gallery_->ListTemplates("people", identity, 0, SIZE_MAX);
    FACEGATE_CHECK(listed.ok());
    for (const TemplateInfo& one : *listed) ids.push_back(one.id);
    return ids;
  }
};

using RenameTest = IdentityChangesTest;

TEST_F(RenameTest, GivesAnotherIdAndKeepsTheRest) {
  const Embedding face = Random();
  const uint64_t first = Enrol("jane", face);
  const uint64_t second = Enrol("jane", Random());
  Enrol("john", Random());
  ASSERT_THAT(Label("jane", {{"site", "2"}}), IsOk());
  const IdentityInfo before = Get("jane");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const IdentityInfo renamed, Rename("jane", "x-1"));
  EXPECT_EQ(renamed.id, "x-1");
  EXPECT_EQ(renamed.create_time_us, before.create_time_us);
  EXPECT_GT(renamed.update_time_us, before.update_time_us);
  EXPECT_EQ(renamed.template_count, 2u);
  EXPECT_EQ(renamed.labels, before.labels);
  EXPECT_NE(renamed.etag, before.etag);
  EXPECT_EQ(Get("x-1").etag, renamed.etag);
  EXPECT_EQ(Get("x-1").update_time_us, renamed.update_time_us);
  EXPECT_THAT(TemplatesOf("x-1"), ElementsAre(first, second));
  EXPECT_THAT(gallery_->GetIdentity("people", "jane"), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(gallery_->Score("people", "jane", TestModel(), face),
              RefusedWith(Reason::kIdentityNotFound));
  EXPECT_EQ(Search(face, 1)->front().identity, "x-1");
  EXPECT_EQ(gallery_->stats().identities, 2u);
  ExpectExactAndLasting(face);
}

TEST_F(RenameTest, MovesTheIdentityInLists) {
  for (const char* name : {"a", "b", "c"}) Enrol(name, Random());
  ASSERT_THAT(Rename("a", "z"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto page, gallery_->ListIdentities("people", "b", 9));
  ASSERT_EQ(page.items.size(), 2u);
  EXPECT_EQ(page.items[0].id, "c");
  EXPECT_EQ(page.items[1].id, "z");
}

TEST_F(RenameTest, FreesTheOldIdForANewIdentity) {
  const Embedding face = Random();
  const uint64_t old_template = Enrol("jane", face);
  ASSERT_THAT(Rename("jane", "janet"), IsOk());
  const std::vector<NewTemplate> one{TemplateOf(face)};
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const EnrolResult again,
      gallery_->Enrol("people", "jane", TestModel(), one, {.must_be_new = true}));
  EXPECT_TRUE(again.created_identity);
  // A tie goes to the lower template, whatever the ids are now.
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, Search(face, 2));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].identity, "janet");
  EXPECT_EQ(found[0].template_id, old_template);
  EXPECT_EQ(found[1].identity, "jane");
  ExpectExactAndLasting(face);
}

TEST_F(RenameTest, SwapsTwoIdsOverAThird) {
  const Embedding face = Random();
  const uint64_t of_a = Enrol("a", face);
  const uint64_t of_b = Enrol("b", Random());
  ASSERT_THAT(Rename("a", "c"), IsOk());
  ASSERT_THAT(Rename("b", "a"), IsOk());
  ASSERT_THAT(Rename("c", "b"), IsOk());
  EXPECT_THAT(TemplatesOf("b"), ElementsAre(of_a));
  EXPECT_THAT(TemplatesOf("a"), ElementsAre(of_b));
  EXPECT_EQ(Search(face, 1)->front().identity, "b");
  ExpectExactAndLasting(face);
}

TEST_F(RenameTest, EnrolsAndDeletesUnderTheNewId) {
  const Embedding face = Random();
  const uint64_t first = Enrol("jane", Random());
  ASSERT_THAT(Rename("jane", "janet"), IsOk());
  const uint64_t second = Enrol("janet", face);
  EXPECT_THAT(TemplatesOf("janet"), ElementsAre(first, second));
  ASSERT_THAT(gallery_->DeleteTemplate("people", "janet", first), IsOk());
  ExpectExactAndLasting(face);
  EXPECT_EQ(*gallery_->DeleteIdentity("people", "janet"), 1u);
  EXPECT_THAT(*Search(face, 9), IsEmpty());
  Reopen();
  EXPECT_EQ(gallery_->stats().identities, 0u);
}

TEST_F(RenameTest, RenamesAnIdentityWithoutTemplates) {
  const uint64_t id = Enrol("jane", Random());
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", id), IsOk());
  ASSERT_THAT(Rename("jane", "janet"), IsOk());
  EXPECT_EQ(Get("janet").template_count, 0u);
  ExpectExactAndLasting(Random());
}

TEST_F(RenameTest, RefusesAnIdThatIsTakenAndChangesNothing) {
  Enrol("jane", Random());
  Enrol("john", Random());
  const GallerySnapshot before = SnapshotOf(*gallery_);
  for (const char* taken : {"john", "jane"}) {
    const auto renamed = Rename("jane", taken);
    EXPECT_THAT(renamed, RefusedWith(Reason::kIdentityExists)) << taken;
    EXPECT_EQ(MessageOf(renamed.status()).find("jo"), std::string_view::npos);
  }
  EXPECT_EQ(SnapshotOf(*gallery_), before);
}

TEST_F(RenameTest, RefusesWhatIsNotThereOrNoId) {
  Enrol("jane", Random());
  EXPECT_THAT(Rename("nobody", "x"), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(Rename("nobody", "jane"), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(Rename("nobody", "nobody"), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(gallery_->RenameIdentity("nowhere", "jane", "x", ""),
              RefusedWith(Reason::kCollectionNotFound));
  for (const std::string& bad : {std::string(), std::string("a b"), std::string(129, 'a')}) {
    const auto renamed = Rename("jane", bad);
    EXPECT_THAT(renamed, RefusedWith(Reason::kInvalidField));
    EXPECT_EQ(FieldOf(renamed.status()), "new_identity_id");
  }
  EXPECT_EQ(FieldOf(Rename("a b", "x").status()), "identity_id");
  EXPECT_THAT(Rename("jane", std::string(128, 'a')), IsOk());
}

using MergeTest = IdentityChangesTest;

// The source's templates lie before, between and after those of the target.
TEST_F(MergeTest, PutsTemplatesInTheOrderOfTheirIds) {
  std::vector<Embedding> faces;
  std::vector<uint64_t> ids;
  for (const char* name : {"source", "target", "source", "source", "target", "source"}) {
    faces.push_back(Random());
    ids.push_back(Enrol(name, faces.back()));
  }
  Enrol("other", Random());
  const auto before = gallery_->ListTemplates("people", "source", 0, SIZE_MAX);
  const IdentityInfo target = Get("target");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const MergeResult merged, Merge("source", "target"));
  EXPECT_EQ(merged.moved_templates, 4u);
  EXPECT_EQ(merged.identity.id, "target");
  EXPECT_EQ(merged.identity.template_count, 6u);
  EXPECT_EQ(merged.identity.create_time_us, target.create_time_us);
  EXPECT_GT(merged.identity.update_time_us, target.update_time_us);
  EXPECT_EQ(Get("target").etag, merged.identity.etag);
  EXPECT_EQ(TemplatesOf("target"), ids);
  EXPECT_THAT(gallery_->GetIdentity("people", "source"), RefusedWith(Reason::kIdentityNotFound));
  for (size_t i = 0; i < faces.size(); ++i) {
    EXPECT_EQ(*gallery_->GetEmbedding("people", "target", ids[i]), faces[i]);
    EXPECT_EQ(Search(faces[i], 1)->front().identity, "target");
    EXPECT_EQ(Search(faces[i], 1)->front().template_id, ids[i]);
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto moved,
                                gallery_->ListTemplates("people", "target", ids[1], 1));
  EXPECT_EQ(moved.front().id, (*before)[1].id);
  EXPECT_EQ(moved.front().detector, (*before)[1].detector);
  EXPECT_EQ(moved.front().detection_score, (*before)[1].detection_score);
  EXPECT_EQ(moved.front().create_time_us, (*before)[1].create_time_us);
  EXPECT_EQ(gallery_->stats().identities, 2u);
  EXPECT_EQ(gallery_->stats().templates, 7u);
  ExpectExactAndLasting(faces[0]);
}

TEST_F(MergeTest, CountsTheMergedIdentityOnceInASearch) {
  const Embedding face = Random();
  for (const char* name : {"a", "b", "c", "a", "b", "c"}) {
    Enrol(name, RandomEmbeddingNear(random_, face, 0.2f));
  }
  ASSERT_EQ(Search(face, 9)->size(), 3u);
  ASSERT_THAT(Merge("a", "c"), IsOk());
  EXPECT_EQ(Search(face, 9)->size(), 2u);
  EXPECT_EQ(Search(face, 2)->size(), 2u);
  ASSERT_THAT(Merge("c", "b"), IsOk());
  EXPECT_EQ(Search(face, 9)->size(), 1u);
  ExpectExactAndLasting(face);
}

TEST_F(MergeTest, GivesTiesToTheLowerTemplateWhoeverBroughtIt) {
  const Embedding face = Random();
  const uint64_t first = Enrol("a", face);
  const uint64_t second = Enrol("b", face);
  Enrol("a", face);
  const uint64_t fourth = Enrol("c", face);
  ASSERT_THAT(Merge("a", "c"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, Search(face, 9));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].identity, "c");
  EXPECT_EQ(found[0].template_id, first);
  EXPECT_EQ(found[1].template_id, second);
  EXPECT_EQ(gallery_->Score("people", "c", TestModel(), face)->template_id, first);
  EXPECT_EQ(TemplatesOf("c").back(), fourth);
  ExpectExactAndLasting(face);
}

TEST_F(MergeTest, MergesIntoAndFromAnIdentityWithoutTemplates) {
  const Embedding face = Random();
  const uint64_t kept = Enrol("full", face);
  for (const char* name : {"empty", "empty-too"}) {
    ASSERT_THAT(gallery_->DeleteTemplate("people", name, Enrol(name, Random())), IsOk());
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const MergeResult nothing, Merge("empty", "empty-too"));
  EXPECT_EQ(nothing.moved_templates, 0u);
  EXPECT_EQ(nothing.identity.template_count, 0u);
  ExpectExactAndLasting(face);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const MergeResult into, Merge("full", "empty-too"));
  EXPECT_EQ(into.moved_templates, 1u);
  EXPECT_EQ(Search(face, 1)->front().identity, "empty-too");
  ExpectExactAndLasting(face);
  ASSERT_THAT(gallery_->DeleteTemplate("people", "again-empty", Enrol("again-empty", Random())),
              IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const MergeResult from, Merge("again-empty", "empty-too"));
  EXPECT_EQ(from.moved_templates, 0u);
  EXPECT_THAT(TemplatesOf("empty-too"), ElementsAre(kept));
  ExpectExactAndLasting(face);
}

TEST_F(MergeTest, GoesOnWithTheMergedIdentity) {
  const Embedding face = Random();
  const uint64_t first = Enrol("a", face);
  const uint64_t second = Enrol("b", Random());
  ASSERT_THAT(Merge("a", "b"), IsOk());
  const uint64_t third = Enrol("b", Random());
  EXPECT_THAT(TemplatesOf("b"), ElementsAre(first, second, third));
  // Each way of removing a template that came from the source.
  ASSERT_THAT(gallery_->DeleteTemplate("people", "b", first), IsOk());
  EXPECT_NE(Search(face, 1)->front().template_id, first);
  ExpectExactAndLasting(face);
  const uint64_t fourth = Enrol("a", face);
  EXPECT_EQ(Search(face, 1)->front().identity, "a") << "the source's id is free again";
  ASSERT_THAT(Merge("b", "a"), IsOk());
  EXPECT_THAT(TemplatesOf("a"), ElementsAre(second, third, fourth));
  EXPECT_EQ(*gallery_->DeleteIdentity("people", "a"), 3u);
  EXPECT_THAT(*Search(face, 9), IsEmpty());
  Reopen();
  EXPECT_THAT(*Search(face, 9), IsEmpty());
  EXPECT_EQ(gallery_->stats().templates, 0u);
}

TEST_F(MergeTest, TakesOverTheLabelsThatTheTargetLacks) {
  Enrol("a", Random());
  Enrol("b", Random());
  ASSERT_THAT(Label("a", {{"only-a", "1"}, {"both", "of a"}}), IsOk());
  ASSERT_THAT(Label("b", {{"only-b", "2"}, {"both", "of b"}}), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const MergeResult merged, Merge("a", "b"));
  EXPECT_THAT(merged.identity.labels,
              ElementsAre(Pair("both", "of b"), Pair("only-a", "1"), Pair("only-b", "2")));
  EXPECT_EQ(Get("b").labels, merged.identity.labels);
  ExpectExactAndLasting(Random());
}

TEST_F(MergeTest, RefusesTooManyLabelsTogetherAndChangesNothing) {
  Enrol("a", Random());
  Enrol("b", Random());
  Labels of_a;
  Labels of_b;
  for (int i = 0; i < 40; ++i) of_a["a" + std::to_string(i)] = "";
  for (int i = 0; i < 24; ++i) of_b["b" + std::to_string(i)] = "";
  of_b["a0"] = "both";
  ASSERT_THAT(Label("a", of_a), IsOk());
  of_b["b24"] = "one too many";
  ASSERT_THAT(Label("b", of_b), IsOk());
  const GallerySnapshot before = SnapshotOf(*gallery_);
  const auto merged = Merge("a", "b");
  EXPECT_THAT(merged, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(merged.status()), "source_identity_id");
  EXPECT_EQ(SnapshotOf(*gallery_), before);
  ASSERT_THAT(gallery_->UpdateLabels("people", "b", Setting({}, {"b24"}), ""), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const MergeResult fits, Merge("a", "b"));
  EXPECT_EQ(fits.identity.labels.size(), kMaxLabels);
  EXPECT_EQ(fits.identity.labels.at("a0"), "both");
}

TEST_F(MergeTest, RefusesWhatIsNotThereOrNotTwo) {
  Enrol("a", Random());
  const GallerySnapshot before = SnapshotOf(*gallery_);
  const auto itself = Merge("a", "a");
  EXPECT_THAT(itself, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(itself.status()), "source_identity_id");
  const auto no_source = Merge("nobody", "a");
  EXPECT_THAT(no_source, RefusedWith(Reason::kIdentityNotFound));
  EXPECT_NE(MessageOf(no_source.status()).find("source"), std::string_view::npos);
  const auto no_target = Merge("a", "nobody");
  EXPECT_THAT(no_target, RefusedWith(Reason::kIdentityNotFound));
  EXPECT_NE(MessageOf(no_target.status()).find("target"), std::string_view::npos);
  EXPECT_THAT(
      gallery_->MergeIdentities("nowhere", {.id = "a", .etag = {}}, {.id = "b", .etag = {}}),
      RefusedWith(Reason::kCollectionNotFound));
  EXPECT_EQ(FieldOf(Merge("a b", "a").status()), "source_identity_id");
  EXPECT_EQ(FieldOf(Merge("a", "a b").status()), "target_identity_id");
  EXPECT_EQ(SnapshotOf(*gallery_), before);
}

// Many templates over several segments of the index, some of whose rows were freed and used again.
TEST_F(MergeTest, MergesManyIdentitiesIntoOne) {
  std::vector<uint64_t> all;
  for (int i = 0; i < 40; ++i) {
    std::vector<NewTemplate> some;
    for (int j = 0; j < 5; ++j) some.push_back(TemplateOf(Random()));
    const auto result =
        gallery_->Enrol("people", "p" + std::to_string(i % 20), TestModel(), some, {});
    ASSERT_THAT(result, IsOk());
    if (i % 20 == 7) {
      ASSERT_THAT(gallery_->DeleteIdentity("people", "p7"), IsOk());
    } else {
      all.insert(all.end(), result->template_ids.begin(), result->template_ids.end());
    }
  }
  Enrol("apart", Random());
  uint64_t moved = 0;
  for (int i = 1; i < 20; ++i) {
    if (i == 7) continue;
    const auto merged = Merge("p" + std::to_string(i), "p0");
    ASSERT_THAT(merged, IsOk());
    moved += merged->moved_templates;
  }
  EXPECT_EQ(moved, 18u * 10u);
  EXPECT_EQ(TemplatesOf("p0"), all);
  ExpectExactAndLasting(Random());
}

using LabelsOfIdentitiesTest = IdentityChangesTest;

TEST_F(LabelsOfIdentitiesTest, SetsRemovesAndReplaces) {
  Enrol("jane", Random());
  EXPECT_THAT(Get("jane").labels, IsEmpty());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const IdentityInfo first,
                                Label("jane", {{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_THAT(first.labels, ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("c", "3")));
  EXPECT_EQ(first.template_count, 1u);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const IdentityInfo second,
      gallery_->UpdateLabels("people", "jane",
                             Setting({{"a", "one"}, {"d", ""}}, {"b", "never-there"}), first.etag));
  EXPECT_THAT(second.labels, ElementsAre(Pair("a", "one"), Pair("c", "3"), Pair("d", "")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const IdentityInfo third,
      gallery_->UpdateLabels("people", "jane", ReplacingBy({{"z", "9"}}), ""));
  EXPECT_THAT(third.labels, ElementsAre(Pair("z", "9")));
  EXPECT_EQ(Get("jane").labels, third.labels);
  EXPECT_EQ(gallery_->ListIdentities("people", "", 9)->items.front().labels, third.labels);
  ExpectExactAndLasting(Random());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const IdentityInfo none,
                                gallery_->UpdateLabels("people", "jane", ReplacingBy({}), ""));
  EXPECT_THAT(none.labels, IsEmpty());
  ExpectExactAndLasting(Random());
}

TEST_F(LabelsOfIdentitiesTest, StayWhenTemplatesComeAndGo) {
  const uint64_t id = Enrol("jane", Random());
  ASSERT_THAT(Label("jane", {{"a", "1"}}), IsOk());
  const std::vector<NewTemplate> one{TemplateOf(Random())};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const EnrolResult enrolled,
                                gallery_->Enrol("people", "jane", TestModel(), one, {}));
  EXPECT_THAT(enrolled.identity.labels, ElementsAre(Pair("a", "1")));
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", id), IsOk());
  EXPECT_THAT(Get("jane").labels, ElementsAre(Pair("a", "1")));
  ExpectExactAndLasting(Random());
}

TEST_F(LabelsOfIdentitiesTest, AreCountedAfterTheChange) {
  Enrol("jane", Random());
  Labels labels;
  for (size_t i = 0; i < kMaxLabels; ++i) labels["k" + std::to_string(i)] = "v";
  ASSERT_THAT(Label("jane", labels), IsOk());
  const GallerySnapshot before = SnapshotOf(*gallery_);
  const auto refused = Label("jane", {{"more", ""}});
  EXPECT_THAT(refused, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(refused.status()), "labels");
  EXPECT_EQ(SnapshotOf(*gallery_), before);
  EXPECT_THAT(Label("jane", {{"k0", "another value"}}), IsOk());
  EXPECT_THAT(gallery_->UpdateLabels("people", "jane", Setting({{"more", ""}}, {"k1"}), ""),
              IsOk());
  EXPECT_THAT(gallery_->UpdateLabels("people", "jane", ReplacingBy({{"more", ""}}), ""), IsOk());
}

TEST_F(LabelsOfIdentitiesTest, RefuseWhatBreaksARule) {
  Enrol("jane", Random());
  const GallerySnapshot before = SnapshotOf(*gallery_);
  for (const Labels& bad : {Labels{{"Key", ""}}, Labels{{"", ""}}, Labels{{"a", "\n"}},
                            Labels{{"a", "\xff"}}, Labels{{"a", std::string(257, 'x')}}}) {
    const auto refused = Label("jane", bad);
    EXPECT_THAT(refused, RefusedWith(Reason::kInvalidField));
    EXPECT_EQ(FieldOf(refused.status()), "labels");
  }
  EXPECT_THAT(Label("nobody", {{"a", ""}}), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_EQ(SnapshotOf(*gallery_), before);
}

using EtagTest = IdentityChangesTest;

TEST_F(EtagTest, IsAnotherAfterEveryKindOfChange) {
  std::set<std::string> seen;
  const auto expect_new = [&](const std::string& identity, const std::string& what) {
    const std::string etag = Get(identity).etag;
    EXPECT_FALSE(etag.empty()) << what;
    EXPECT_TRUE(seen.insert(etag).second) << what;
    EXPECT_EQ(Get(identity).etag, etag) << "reading changes nothing";
    EXPECT_EQ(gallery_->ListIdentities("people", "", 1)->items.front().etag, etag) << what;
  };
  const uint64_t id = Enrol("jane", Random());
  expect_new("jane", "made");
  Enrol("jane", Random());
  expect_new("jane", "enrolled");
  ASSERT_THAT(gallery_->DeleteTemplate("people", "jane", id), IsOk());
  expect_new("jane", "a template deleted");
  ASSERT_THAT(Label("jane", {{"a", "1"}}), IsOk());
  expect_new("jane", "labelled");
  ASSERT_THAT(Label("jane", {{"a", "2"}}), IsOk());
  expect_new("jane", "labelled again");
  ASSERT_THAT(Rename("jane", "janet"), IsOk());
  expect_new("janet", "renamed");
  ASSERT_THAT(Rename("janet", "jane"), IsOk());
  expect_new("jane", "renamed back");
  Enrol("john", Random());
  ASSERT_TRUE(seen.insert(Get("john").etag).second);
  ASSERT_THAT(Merge("john", "jane"), IsOk());
  expect_new("jane", "merged");
  ASSERT_THAT(gallery_->DeleteIdentity("people", "jane"), IsOk());
  Enrol("jane", Random());
  expect_new("jane", "made again");
}

TEST_F(EtagTest, StaysTheSameOverReopeningsAndRefusals) {
  Enrol("jane", Random());
  ASSERT_THAT(Label("jane", {{"a", "1"}}), IsOk());
  const std::string etag = Get("jane").etag;
  Enrol("john", Random());
  EXPECT_FALSE(Label("jane", {{"B", ""}}).ok());
  EXPECT_FALSE(Rename("jane", "john").ok());
  EXPECT_FALSE(Merge("jane", "nobody").ok());
  Reopen();
  EXPECT_EQ(Get("jane").etag, etag);
  EXPECT_THAT(Label("jane", {{"a", "2"}}, etag), IsOk());
}

TEST_F(EtagTest, GuardsEveryChangeThatTakesOne) {
  Enrol("jane", Random());
  Enrol("john", Random());
  const std::string old = Get("jane").etag;
  Enrol("jane", Random());
  const std::string of_john = Get("john").etag;
  const GallerySnapshot before = SnapshotOf(*gallery_);
  for (const std::string& wrong : {old, of_john, std::string("x"), std::string(16, '0')}) {
    EXPECT_THAT(Label("jane", {{"a", "1"}}, wrong), RefusedWith(Reason::kEtagMismatch));
    EXPECT_THAT(Rename("jane", "janet", wrong), RefusedWith(Reason::kEtagMismatch));
    EXPECT_THAT(Rename("jane", "john", wrong), RefusedWith(Reason::kEtagMismatch));
    EXPECT_THAT(Merge("jane", "john", wrong, of_john), RefusedWith(Reason::kEtagMismatch));
    EXPECT_THAT(Merge("john", "jane", of_john, wrong), RefusedWith(Reason::kEtagMismatch));
    EXPECT_THAT(gallery_->DeleteIdentity("people", "jane", wrong),
                RefusedWith(Reason::kEtagMismatch));
  }
  EXPECT_EQ(SnapshotOf(*gallery_), before);
  const std::string etag = Get("jane").etag;
  EXPECT_THAT(Label("jane", {{"a", "1"}}, etag), IsOk());
  EXPECT_THAT(Rename("jane", "janet", Get("jane").etag), IsOk());
  EXPECT_THAT(Merge("john", "janet", of_john, Get("janet").etag), IsOk());
  EXPECT_THAT(gallery_->DeleteIdentity("people", "janet", Get("janet").etag), IsOk());
  EXPECT_THAT(gallery_->DeleteIdentity("people", "janet", etag),
              RefusedWith(Reason::kIdentityNotFound));
}

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRaceRounds = 40;
#else
constexpr int kRaceRounds = 120;
#endif

class IdentityRacesTest : public IdentityChangesTest {
 protected:
  IdentityRacesTest() {
    IdentityLocks locks;
    FACEGATE_CHECK(&locks.Of(1, "a") != &locks.Of(1, "b"));
  }
};

// Every template that was enrolled is there at the end, once.
TEST_F(IdentityRacesTest, RenamesWhileOthersEnrolLoseNothing) {
  // There is somebody to rename from the start, however late the threads that enrol begin.
  std::mt19937_64 first(9);
  Enrol("a", RandomEmbedding(first, kSize));
  std::atomic<uint64_t> enrolled{1};
  std::atomic<uint64_t> renamed{0};
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread));
    for (int round = 0; round < kRaceRounds; ++round) {
      const std::string name = random() % 2 == 0 ? "a" : "b";
      const std::string other = name == "a" ? "b" : "a";
      if (thread < 3) {
        const auto result = Rename(name, other);
        if (result.ok()) {
          ++renamed;
        } else {
          EXPECT_THAT(result, ::testing::AnyOf(RefusedWith(Reason::kIdentityNotFound),
                                               RefusedWith(Reason::kIdentityExists)));
          // Both are there: one makes room.
          if (gallery_->GetIdentity("people", "a").ok()) {
            const auto moved = Rename("a", fmt::format("moved-{}-{}", thread, round));
            if (moved.ok()) {
              ++renamed;
            } else {
              EXPECT_THAT(moved, RefusedWith(Reason::kIdentityNotFound));
            }
          }
        }
      } else {
        const Embedding face = RandomEmbedding(random, kSize);
        const uint64_t id = Enrol(name, face);
        ++enrolled;
        const auto found = Search(face, 1);
        EXPECT_THAT(found, IsOk());
        if (found.ok()) {
          EXPECT_EQ(found->front().template_id, id);
        }
      }
    }
  });
  EXPECT_GT(renamed, 0u);
  EXPECT_EQ(gallery_->stats().templates, enrolled);
  std::set<uint64_t> ids;
  for (const auto& identity : IdentitiesOf(*gallery_, "people")) {
    EXPECT_TRUE(std::is_sorted(identity.templates.begin(), identity.templates.end()));
    for (const auto& one : identity.templates) ids.insert(std::get<0>(one));
  }
  EXPECT_EQ(ids.size(), enrolled);
  ExpectExactAndLasting(Random());
}

TEST_F(IdentityRacesTest, CrossingMergesEndAndLoseNothing) {
  std::atomic<uint64_t> enrolled{0};
  std::atomic<uint64_t> merged{0};
  for (int round = 0; round < kRaceRounds / 4; ++round) {
    InParallel([&](int thread) {
      std::mt19937_64 random(static_cast<uint64_t>(thread + kThreads * round));
      const std::string from = thread % 2 == 0 ? "a" : "b";
      const std::string into = thread % 2 == 0 ? "b" : "a";
      Enrol(from, RandomEmbedding(random, kSize));
      ++enrolled;
      const auto result = Merge(from, into);
      if (result.ok()) {
        ++merged;
      } else {
        EXPECT_THAT(result, RefusedWith(Reason::kIdentityNotFound));
      }
    });
  }
  EXPECT_GT(merged, 0u);
  EXPECT_EQ(gallery_->stats().templates, enrolled);
  ExpectExactAndLasting(Random());
}

// Whatever is done to a few ids at once, memory, index and store agree at the end.
TEST_F(IdentityRacesTest, KeepsIndexEqualToTheStoreUnderEveryChange) {
  InParallel([&](int thread) {
    std::mt19937_64 random(static_cast<uint64_t>(thread) + 500);
    for (int round = 0; round < kRaceRounds; ++round) {
      const std::string name = "p" + std::to_string(random() % 5);
      const std::string other = "p" + std::to_string(random() % 5);
      const Embedding face = RandomEmbedding(random, kSize);
      Status status;
      switch (random() % 8) {
        case 0:
          status = Rename(name, other).status();
          break;
        case 1:
          status = Merge(name, other).status();
          break;
        case 2:
          status = Label(name, {{"l" + std::to_string(thread), std::to_string(round)}}).status();
          break;
        case 3:
          status = gallery_->DeleteIdentity("people", name).status();
          break;
        case 4: {
          const auto info = gallery_->GetIdentity("people", name);
          if (info.ok()) status = Label(name, {{"guarded", "x"}}, info->etag).status();
          break;
        }
        default:
          Enrol(name, face);
          status = Search(face, 3).status();
      }
      if (!status.ok()) {
        EXPECT_THAT(status, ::testing::AnyOf(RefusedWith(Reason::kIdentityNotFound),
                                             RefusedWith(Reason::kIdentityExists),
                                             RefusedWith(Reason::kInvalidField),
                                             RefusedWith(Reason::kEtagMismatch)));
      }
    }
  });
  ExpectExactAndLasting(Random());
}

// All change what they read, and each change is made on top of the one before.
TEST_F(IdentityRacesTest, EtagsLetNoChangeBeOverwritten) {
  Enrol("a", Random());
  InParallel([&](int) {
    for (int done = 0; done < kRaceRounds / 10;) {
      const IdentityInfo info = Get("a");
      const auto count = info.labels.find("count");
      const int next = count == info.labels.end() ? 1 : std::stoi(count->second) + 1;
      const auto changed = Label("a", {{"count", std::to_string(next)}}, info.etag);
      if (changed.ok()) {
        ++done;
      } else {
        EXPECT_THAT(changed, RefusedWith(Reason::kEtagMismatch));
      }
    }
  });
  EXPECT_EQ(Get("a").labels.at("count"), std::to_string(kThreads * (kRaceRounds / 10)));
  ExpectExactAndLasting(Random());
}

// A name belongs to one identity at every moment: who merges and renames back and forth never
// makes a search name an identity that there never was.
TEST_F(IdentityRacesTest, SearchesDuringChangesNameOnlyIdsThatWere) {
  const Embedding face = Random();
  const uint64_t id = Enrol("a", face);
  std::atomic<bool> done{false};
  std::jthread searcher([&] {
    while (!done) {
      const auto found = Search(face, 1);
      ASSERT_THAT(found, IsOk());
      ASSERT_EQ(found->size(), 1u);
      EXPECT_EQ(found->front().template_id, id);
      EXPECT_THAT(found->front().identity, ::testing::AnyOf("a", "b", "c"));
    }
  });
  for (int round = 0; round < kRaceRounds; ++round) {
    EXPECT_THAT(Rename("a", "b"), IsOk());
    Enrol("c", Random());
    EXPECT_THAT(Merge("b", "c"), IsOk());
    EXPECT_THAT(Rename("c", "a"), IsOk());
  }
  done = true;
}

}  // namespace
}  // namespace facegate
