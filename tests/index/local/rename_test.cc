// New ids of identities: memory, index and store agree about them.

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
  EXPECT_EQ(gallery_->Stats()->identities, 2u);
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
  EXPECT_EQ(gallery_->Stats()->identities, 0u);
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

}  // namespace
}  // namespace facegate
