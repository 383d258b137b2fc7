// The mark that something is still to be erased: it comes, outlives a kill and goes.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/index/local/erasure_fixture.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

TEST_F(ErasePendingTest, OutlivesAKillAndIsMadeGood) {
  for (const auto& [change, bytes] : std::vector<std::pair<std::function<Status()>, std::string>>{
           {[&] {
              return gallery_
                  ->UpdateLabels("people", "zebra-crossing",
                                 {.replace_all = true, .set = {{"k", "hidden"}}, .remove = {}}, "")
                  .status();
            },
            ""},
           {[&] {
              return gallery_
                  ->UpdateLabels("people", "zebra-crossing",
                                 {.replace_all = true, .set = {}, .remove = {}}, "")
                  .status();
            },
            "hidden"},
           {[&] {
              return gallery_->RenameIdentity("people", "zebra-crossing", "n-1", "").status();
            },
            "zebra-crossing"},
           {[&] { return gallery_->DeleteIdentity("people", "n-1").status(); }, BytesOf(erased_)},
           {[&] { return gallery_->DeleteCollection("people", true); }, "staying-behind"},
       }) {
    ASSERT_THAT(change(), IsOk());
    if (bytes.empty()) continue;
    const std::string copy = Copy();
    EXPECT_TRUE(Pending(copy));
    EXPECT_TRUE(Pending(copy)) << "a store that is merely opened erases nothing";
    auto opened = OpenLocalGallery({.directory = copy, .erase_delay = {}}, clock_);
    ASSERT_THAT(opened, IsOk());
    opened->reset();
    EXPECT_GT(Count(bytes), 0u) << "in what was not killed it is not erased yet";
    EXPECT_EQ(CountInFiles(copy, bytes), 0u);
    EXPECT_FALSE(Pending(copy));
  }
}

// Also while the gallery stays open.
TEST_F(ErasePendingTest, AnOpenGalleryMakesItGood) {
  ASSERT_THAT(gallery_->DeleteIdentity("people", "zebra-crossing"), IsOk());
  const std::string copy = Copy();
  auto opened = OpenLocalGallery({.directory = copy, .erase_delay = {}}, clock_);
  ASSERT_THAT(opened, IsOk());
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (CountInFiles(copy, BytesOf(erased_)) > 0 && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(CountInFiles(copy, BytesOf(erased_)), 0u);
}

// As after a write that failed, or whose call ended with an error: nobody asked for the erasure.
TEST_F(ErasePendingTest, AnOpenGalleryLooksForItByItself) {
  auto opened = OpenStore(dir_.File("other"));
  TemplateStore& store = *opened;
  ASSERT_THAT(store.ReserveUids(100), IsOk());
  const auto gallery = OpenLocalGallery(std::move(opened),
                                        {.directory = {},
                                         .erase_delay = std::chrono::milliseconds(1),
                                         .upkeep_interval = std::chrono::milliseconds(5)},
                                        clock_);
  ASSERT_THAT(gallery, IsOk());
  StoreChange change;
  change.deleted_identities.push_back({.collection = 1, .identity = 1});
  ASSERT_THAT(store.Write(change), IsOk());
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (store.erase_pending() && std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_FALSE(store.erase_pending());
}

TEST_F(ErasePendingTest, IsNotThereBeforeADeletionNorAfterACompaction) {
  gallery_.reset();
  auto store = OpenStore(directory());
  EXPECT_FALSE(store->erase_pending());
  const IdentityKey key = KeyOf(*store, "zebra-crossing");
  ASSERT_THAT(store->Write(DeletionOf(*store, key)), IsOk());
  EXPECT_TRUE(store->erase_pending());
  store.reset();
  store = OpenStore(directory());
  EXPECT_TRUE(store->erase_pending());
  EXPECT_GT(Count(BytesOf(erased_)), 0u);
  ASSERT_THAT(store->Compact(), IsOk());
  EXPECT_FALSE(store->erase_pending());
  store.reset();
  EXPECT_EQ(Count(BytesOf(erased_)), 0u);
  EXPECT_FALSE(Pending(directory()));
}

TEST_F(ErasePendingTest, ComesWithWhatErasesAlone) {
  gallery_.reset();
  const auto store = OpenStore(directory());
  StoredIdentity identity;
  ASSERT_THAT(store->ReadIdentities([&](const StoredIdentity& one) {
    identity = one;
    return OkStatus();
  }),
              IsOk());
  StoreChange change;
  change.identities.push_back(identity);
  ASSERT_THAT(store->Write(change), IsOk());
  EXPECT_FALSE(store->erase_pending()) << "the same id and labels: nothing to erase";
  change.erases_overwritten = true;
  ASSERT_THAT(store->Write(change), IsOk());
  EXPECT_TRUE(store->erase_pending());
}

// Whenever the mark is gone, so are the bytes; and the file says what the memory said.
TEST_F(ErasePendingTest, IsKeptWhenADeletionComesDuringACompaction) {
  gallery_.reset();
  auto store = OpenStore(directory());
  const IdentityKey collection = KeyOf(*store, "staying-behind");
  int kept = 0;
  for (uint64_t round = 0; round < 30; ++round) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t uid, store->ReserveUids(2));
    const IdentityKey key{.collection = collection.collection, .identity = uid};
    const std::string id = "passer-by-" + std::to_string(uid);
    StoreChange made;
    made.identities.push_back({.key = key,
                               .id = id,
                               .create_time_us = 1,
                               .update_time_us = 1,
                               .revision = 1,
                               .labels = {}});
    ASSERT_THAT(store->Write(made), IsOk());
    {
      std::jthread compaction([&] { EXPECT_THAT(store->Compact(), IsOk()); });
      if (round % 2 == 1) std::this_thread::sleep_for(std::chrono::microseconds(200 * round));
      EXPECT_THAT(store->Write(DeletionOf(*store, key)), IsOk());
    }
    const bool pending = store->erase_pending();
    kept += pending ? 1 : 0;
    store.reset();
    if (!pending) {
      EXPECT_EQ(Count(id), 0u) << round;
    }
    store = OpenStore(directory());
    EXPECT_EQ(store->erase_pending(), pending) << round;
    ASSERT_THAT(store->Compact(), IsOk());
    EXPECT_FALSE(store->erase_pending());
    store.reset();
    EXPECT_EQ(Count(id), 0u) << round;
    store = OpenStore(directory());
  }
  EXPECT_GT(kept, 0) << "no deletion came during a compaction";
}

// Who finds nothing to take waits for the one who has it, and does what that one leaves.
TEST_F(ErasePendingTest, IsOverWhenOneOfTwoCompactionsSucceeds) {
  const auto store = OpenStore(dir_.File("other"));
  ASSERT_THAT(store->ReserveUids(100), IsOk());
  for (uint64_t round = 1; round <= 20; ++round) {
    StoreChange change;
    change.deleted_identities.push_back({.collection = 1, .identity = round});
    ASSERT_THAT(store->Write(change), IsOk());
    {
      const std::jthread whole([&] { EXPECT_THAT(store->Compact(), IsOk()); });
      std::atomic<bool> canceled{true};
      store->Compact(&canceled).IgnoreError();
    }
    ASSERT_FALSE(store->erase_pending()) << round;
    ASSERT_EQ(store->bytes_to_compact(), 0u) << round;
  }
}

// A change of labels rewrites no embedding.
TEST_F(ErasePendingTest, CompactsNoFamilyThatDidNotChange) {
  ASSERT_THAT(gallery_->Compact(), IsOk());
  const auto tables_with = [&](const std::string& bytes) {
    std::set<std::string> tables;
    for (const auto& entry : fs::directory_iterator(directory())) {
      if (entry.path().extension() != ".sst") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string content((std::istreambuf_iterator<char>(file)), {});
      if (content.find(bytes) != std::string::npos) tables.insert(entry.path().string());
    }
    return tables;
  };
  const auto before = tables_with(BytesOf(staying_));
  ASSERT_FALSE(before.empty());
  const auto old_identities = tables_with("staying-behind");
  ASSERT_FALSE(old_identities.empty());
  for (const Labels& labels : {Labels{{"k", "hidden"}}, Labels{}}) {
    ASSERT_THAT(gallery_->UpdateLabels("people", "staying-behind",
                                       {.replace_all = true, .set = labels, .remove = {}}, ""),
                IsOk());
  }
  ASSERT_THAT(gallery_->Compact(), IsOk());
  EXPECT_EQ(tables_with(BytesOf(staying_)), before);
  EXPECT_NE(tables_with("staying-behind"), old_identities);
  EXPECT_EQ(Count("hidden"), 0u);
}

}  // namespace
}  // namespace facegate
