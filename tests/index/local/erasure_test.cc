// The bytes of what was deleted or overwritten leave the files of a store.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>

#include "tests/index/local/erasure_fixture.h"

namespace facegate {
namespace {

TEST_F(ErasureTest, LeavesNoByteOfADeletedIdentity) {
  ASSERT_GT(Count(BytesOf(erased_)), 0u);
  ASSERT_GT(Count("zebra-crossing"), 0u);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  ExpectErasedAfterCompaction();
  EXPECT_EQ(Count("zebra-crossing"), 0u);
}

TEST_F(ErasureTest, ClosingErasesWhatWasDeleted) {
  ASSERT_GT(Count(BytesOf(erased_)), 0u);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  gallery_.reset();
  EXPECT_EQ(Count(BytesOf(erased_)), 0u);
  EXPECT_EQ(Count("zebra-crossing"), 0u);
  EXPECT_GT(Count(BytesOf(staying_)), 0u);
}

TEST_F(ErasureTest, LeavesNoByteOfWhatLayInOldTables) {
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Reopen();
  ASSERT_GT(Count(BytesOf(erased_)), 0u);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  ExpectErasedAfterCompaction();
  EXPECT_EQ(Count("zebra-crossing"), 0u);
}

TEST_F(ErasureTest, LeavesNoByteOfADeletedTemplate) {
  const uint64_t id = gallery_->ListTemplates("people", "zebra-crossing", 0, 1)->front().id;
  ASSERT_THAT(gallery_->DeleteTemplate("people", "zebra-crossing", id), IsOk());
  ExpectErasedAfterCompaction();
  EXPECT_GT(Count("zebra-crossing"), 0u);
}

TEST_F(ErasureTest, LeavesNoByteOfADeletedCollection) {
  ASSERT_THAT(gallery_->CreateCollection("hidden-place", TestModel(), kSize, {}), IsOk());
  const Embedding other = Random();
  Enrol("someone-there", other, "hidden-place");
  ASSERT_GT(Count("hidden-place"), 0u);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  ASSERT_THAT(gallery_->DeleteCollection("hidden-place", true), IsOk());
  ExpectErasedAfterCompaction();
  for (const std::string& bytes :
       {std::string("hidden-place"), std::string("someone-there"), BytesOf(other)}) {
    EXPECT_EQ(Count(bytes), 0u);
  }
}

TEST_F(ErasureTest, CompactsBesideWritesAndSearches) {
  std::jthread writer([&] {
    for (int i = 0; i < 200; ++i) {
      const std::string name = "passer-by-" + std::to_string(i);
      Enrol(name, erased_);
      FACEGATE_CHECK(gallery_->DeleteIdentity("people", name).ok());
    }
  });
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(gallery_->Compact(), IsOk());
    EXPECT_THAT(Search(staying_, 3), IsOk());
  }
  writer.join();
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  ExpectErasedAfterCompaction();
  EXPECT_EQ(Count("passer-by"), 0u);
}

TEST_F(ErasureTest, LeavesNoByteOfAnOldId) {
  ASSERT_THAT(gallery_->RenameIdentity("people", "zebra-crossing", "n-1", ""), IsOk());
  ASSERT_THAT(gallery_->Compact(), IsOk());
  gallery_.reset();
  EXPECT_EQ(Count("zebra-crossing"), 0u);
  EXPECT_GT(Count("n-1"), 0u);
  EXPECT_GT(Count(BytesOf(erased_)), 0u);
}

TEST_F(ErasureTest, ClosingErasesOldIdsAndLabels) {
  const auto label = [&](const std::string& value) {
    return gallery_->UpdateLabels("people", "staying-behind",
                                  {.replace_all = true, .set = {{"nickname", value}}, .remove = {}},
                                  "");
  };
  ASSERT_THAT(label("grasshopper"), IsOk());
  // Into a table of the last level, where a compaction would leave it if it could.
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Reopen();
  ASSERT_GT(Count("grasshopper"), 0u);
  ASSERT_THAT(label("beetle"), IsOk());
  ASSERT_THAT(gallery_->RenameIdentity("people", "zebra-crossing", "n-1", ""), IsOk());
  gallery_.reset();
  EXPECT_EQ(Count("grasshopper"), 0u);
  EXPECT_EQ(Count("zebra-crossing"), 0u);
  EXPECT_GT(Count("beetle"), 0u);
}

TEST_F(ErasureTest, LeavesNoByteOfAMergedIdentitysId) {
  ASSERT_THAT(gallery_->MergeIdentities("people", {.id = "zebra-crossing", .etag = {}},
                                        {.id = "staying-behind", .etag = {}}),
              IsOk());
  gallery_.reset();
  EXPECT_EQ(Count("zebra-crossing"), 0u);
  EXPECT_GT(Count(BytesOf(erased_)), 0u) << "the template has moved";
  gallery_ = OpenOrDie(directory(), clock_);
  ASSERT_THAT(gallery_->DeleteIdentity("people", "staying-behind"), IsOk());
  gallery_.reset();
  EXPECT_EQ(Count(BytesOf(erased_)), 0u);
}

}  // namespace
}  // namespace facegate
