// Labels of identities, and the etags that guard every change of an identity.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tests/index/local/identity_changes_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

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

}  // namespace
}  // namespace facegate
