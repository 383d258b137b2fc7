// Stores that earlier versions left are taken over.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "face/base/coding.h"
#include "tests/index/store/committed_store.h"
#include "tests/index/store/filled_gallery.h"
#include "tests/index/store/raw_store.h"

namespace facegate {
namespace {

using ::testing::Each;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kErasedId[] = "zebra-crossing";

// A copy of the store that the last program of format 3 wrote.
class StoreFormatTest : public ::testing::Test {
 protected:
  StoreFormatTest() { CopyStore(CommittedStore("format_3"), directory()); }

  std::string directory() const { return dir_.File("store"); }
  // Opens it as a gallery, and closes it.
  std::string Describe() { return DescribeGallery(*OpenOrDie(directory(), clock_)); }
  static std::string Told() { return ToldOfCommittedStore("format_3"); }
  // The same where the format has no requests.
  static std::string ToldWithoutRequests() {
    std::string told = Told();
    told.resize(told.find("request 1:"));
    for (int id = 1; id <= 5; ++id) told += fmt::format("request {}: (new)\n", id);
    return told;
  }
  size_t Count(const std::string& bytes) const { return CountInFiles(directory(), bytes); }
  std::string FormatNow() const {
    return ToHex(RawStore(directory()).GetPayload(Family::kMeta, std::string(kFormatKey)));
  }
  bool Pending() const {
    const auto store = OpenTemplateStore({.directory = directory()});
    FACEGATE_CHECK(store.ok());
    return (*store)->erase_pending();
  }

  // Makes an earlier format of it, with an identity that was deleted but not erased.
  void MakeFormat(uint32_t version) {
    const std::string key = EncodeIdentityKey({.collection = 1, .identity = 99});
    RawStore(directory()).Put(Family::kIdentities, key, kErasedId);
    RawStore raw(directory());
    raw.Delete(Family::kIdentities, key);
    for (const std::string& meta : raw.Keys(Family::kMeta)) {
      if (meta.starts_with(kErasePendingKey)) raw.Delete(Family::kMeta, meta);
    }
    std::string bytes;
    AppendLittleEndian(bytes, version);
    raw.PutPayload(Family::kMeta, std::string(kFormatKey), bytes);
    raw.Drop(Family::kCrops);
    if (version > 1) return;
    raw.Delete(Family::kMeta, std::string(kRequestTimeKey));
    raw.Drop(Family::kRequests);
  }

  TempDir dir_;
  CountingClock clock_;
};

TEST_F(StoreFormatTest, AStoreOfTheThirdFormatTellsTheSameAsBefore) {
  EXPECT_EQ(Describe(), Told());
  EXPECT_EQ(Describe(), Told()) << "after the take-over";
}

TEST_F(StoreFormatTest, TakesTheStoreOver) {
  Describe();
  RawStore raw(directory());
  EXPECT_THAT(raw.Keys(Family::kTemplates), SizeIs(20));
  EXPECT_THAT(raw.Keys(Family::kTemplates), Each(SizeIs(28)));
  EXPECT_THAT(raw.Keys(Family::kMeta), Not(::testing::Contains(std::string(kTakingOverKey))));
  EXPECT_EQ(ToHex(raw.GetPayload(Family::kMeta, std::string(kFormatKey))), "04000000");
}

TEST_F(StoreFormatTest, OldKeysLeaveTheFiles) {
  const std::string embedding = BytesOf(NumberedEmbedding(1));
  ASSERT_EQ(Count(embedding), 1u);
  EXPECT_TRUE(Pending());
  EXPECT_GT(Count(embedding), 1u);
  Describe();
  EXPECT_FALSE(Pending());
  EXPECT_EQ(Count(embedding), 1u);
}

TEST_F(StoreFormatTest, WhatWasTakenOverIsDeletedAndErased) {
  {
    const auto gallery = OpenOrDie(directory(), clock_);
    ASSERT_THAT(gallery->DeleteIdentity("people", "jane"), IsOk());
  }
  for (const uint32_t number : {1, 2, 3}) EXPECT_EQ(Count(BytesOf(NumberedEmbedding(number))), 0u);
  EXPECT_THAT(Describe(), HasSubstr("p0"));
}

// Without requests, and without a word on what was deleted.
TEST_F(StoreFormatTest, AStoreOfTheFirstFormatIsTakenOverAndErased) {
  MakeFormat(1);
  ASSERT_GT(Count(kErasedId), 0u);
  EXPECT_TRUE(Pending());
  EXPECT_TRUE(Pending()) << "the new format does not make it forget";
  EXPECT_EQ(Describe(), ToldWithoutRequests());
  EXPECT_EQ(Count(kErasedId), 0u);
  EXPECT_FALSE(Pending());
  EXPECT_EQ(FormatNow(), "04000000");
}

TEST_F(StoreFormatTest, AStoreOfTheFirstFormatTakesRequests) {
  MakeFormat(1);
  const auto ask = [&](GalleryBackend& gallery) {
    return gallery.BeginRequest(NumberedRequest(1), FingerprintOf('f'));
  };
  {
    const auto gallery = OpenOrDie(directory(), clock_);
    const auto ticket = ask(*gallery);
    ASSERT_THAT(ticket, IsOk());
    ASSERT_THAT(gallery->RenameIdentity("people", "jane", "n-1", "",
                                        Answering<IdentityInfo>(*ticket, "answer")),
                IsOk());
  }
  const auto again = OpenOrDie(directory(), clock_);
  EXPECT_EQ(ask(*again)->answer, "answer");
}

TEST_F(StoreFormatTest, AStoreOfTheSecondFormatIsTakenOverAndErased) {
  MakeFormat(2);
  RawStore(directory()).PutPayload(Family::kMeta, std::string(kErasePendingKey), {});
  ASSERT_GT(Count(kErasedId), 0u);
  EXPECT_TRUE(Pending());
  EXPECT_TRUE(Pending()) << "the new format does not make it forget";
  EXPECT_EQ(Describe(), Told());
  EXPECT_EQ(Count(kErasedId), 0u);
  EXPECT_FALSE(Pending());
  EXPECT_EQ(FormatNow(), "04000000");
}

TEST_F(StoreFormatTest, OfAStoreOfTheSecondFormatWithoutAMarkTemplatesAloneAreErased) {
  MakeFormat(2);
  EXPECT_TRUE(Pending());
  EXPECT_THAT(RawStore(directory()).Keys(Family::kMeta),
              ::testing::Contains(EndsWith("erase_pending_templates")));
  EXPECT_THAT(RawStore(directory()).Keys(Family::kMeta),
              Not(::testing::Contains(EndsWith("identities"))));
}

TEST_F(StoreFormatTest, RefusesFamiliesOfALaterVersionInWords) {
  RawStore(directory()).Add("later");
  const auto store = OpenTemplateStore({.directory = directory()});
  EXPECT_THAT(store, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(store.status())), HasSubstr("a later version wrote it"));
}

}  // namespace
}  // namespace facegate
