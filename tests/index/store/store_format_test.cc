// Stores that earlier versions left are taken over.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "face/base/coding.h"
#include "index/store/envelope.h"
#include "tests/index/local/erasure_fixture.h"
#include "tests/index/store/raw_store.h"

namespace facegate {
namespace {

// A store as the first format left it: without requests, and without a word on what was deleted.
TEST_F(ErasePendingTest, AStoreOfTheFirstFormatIsTakenOverAndErased) {
  gallery_.reset();
  {
    const auto store = OpenStore(directory());
    ASSERT_THAT(store->Write(DeletionOf(*store, KeyOf(*store, "zebra-crossing"))), IsOk());
  }
  const std::string format(kFormatKey);
  {
    RawStore raw(directory());
    std::string version;
    AppendLittleEndian(version, uint32_t{1});
    raw.Put(Family::kMeta, format, SealEnvelope(Family::kMeta, format, version));
    raw.Delete(Family::kMeta, std::string(kErasePendingKey));
    raw.Drop(Family::kRequests);
  }
  ASSERT_GT(Count(BytesOf(erased_)), 0u);
  const std::string copy = Copy();
  EXPECT_TRUE(Pending(copy));
  EXPECT_TRUE(Pending(copy)) << "the new format does not make it forget";
  auto opened = OpenLocalGallery({.directory = copy, .erase_delay = {}}, clock_);
  ASSERT_THAT(opened, IsOk());
  {
    const auto ticket =
        (*opened)->BeginRequest(RequestId{{1}}, std::string(kFingerprintBytes, 'f'));
    ASSERT_THAT(ticket, IsOk());
    const Receipt<IdentityInfo> receipt{.ticket = &*ticket,
                                        .answer = [](const IdentityInfo&) { return "answer"; }};
    ASSERT_THAT((*opened)->RenameIdentity("people", "staying-behind", "n-1", "", receipt), IsOk());
  }
  opened->reset();
  EXPECT_EQ(CountInFiles(copy, BytesOf(erased_)), 0u);
  EXPECT_EQ(CountInFiles(copy, "staying-behind"), 0u);
  EXPECT_FALSE(Pending(copy));
  {
    RawStore raw(copy);
    const std::string value = raw.Get(Family::kMeta, format);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string_view version,
                                  OpenEnvelope(Family::kMeta, format, value));
    EXPECT_EQ(ToHex(version), "03000000");
    EXPECT_EQ(raw.Keys(Family::kRequests).size(), 1u);
  }
  auto again = OpenLocalGallery({.directory = copy}, clock_);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ((*again)->Stats()->templates, 1u);
  EXPECT_EQ((*again)->Search("people", TestModel(), staying_, 1)->front().identity, "n-1");
  const auto ticket = (*again)->BeginRequest(RequestId{{1}}, std::string(kFingerprintBytes, 'f'));
  ASSERT_THAT(ticket, IsOk());
  EXPECT_EQ(ticket->answer, "answer");
}

TEST_F(ErasePendingTest, AStoreOfTheSecondFormatIsTakenOverAndErased) {
  gallery_.reset();
  {
    const auto store = OpenStore(directory());
    ASSERT_THAT(store->Write(DeletionOf(*store, KeyOf(*store, "zebra-crossing"))), IsOk());
  }
  const std::string format(kFormatKey);
  const std::string mark(kErasePendingKey);
  {
    RawStore raw(directory());
    std::string version;
    AppendLittleEndian(version, uint32_t{2});
    raw.Put(Family::kMeta, format, SealEnvelope(Family::kMeta, format, version));
    for (const std::string& key : raw.Keys(Family::kMeta)) {
      if (key.starts_with(mark)) raw.Delete(Family::kMeta, key);
    }
    raw.Put(Family::kMeta, mark, SealEnvelope(Family::kMeta, mark, {}));
  }
  ASSERT_GT(Count("zebra-crossing"), 0u);
  EXPECT_TRUE(Pending(directory()));
  EXPECT_TRUE(Pending(directory())) << "the new format does not make it forget";
  const auto store = OpenStore(directory());
  ASSERT_THAT(store->Compact(), IsOk());
  EXPECT_FALSE(store->erase_pending());
  EXPECT_EQ(Count("zebra-crossing"), 0u);
}

}  // namespace
}  // namespace facegate
