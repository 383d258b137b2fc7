// Merges of identities: memory, index and store agree about them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/index/local/identity_changes_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

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
  EXPECT_EQ(gallery_->Stats()->identities, 2u);
  EXPECT_EQ(gallery_->Stats()->templates, 7u);
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
  EXPECT_EQ(gallery_->Stats()->templates, 0u);
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

}  // namespace
}  // namespace facegate
