#include "index/template_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "face/base/coding.h"
#include "face/base/mutex.h"
#include "index/envelope.h"
#include "tests/index/gallery_fixture.h"
#include "tests/index/raw_store.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

std::string BytesOf(const Embedding& embedding) {
  std::string bytes;
  for (const float value : embedding.values()) {
    AppendLittleEndian(bytes, std::bit_cast<uint32_t>(value));
  }
  return bytes;
}

TEST(TemplateStoreTest, GivesOutNumbersOnceOverReopeningsAndThreads) {
  TempDir dir;
  std::set<uint64_t> seen;
  size_t given = 0;
  for (int round = 0; round < 3; ++round) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(auto store, OpenTemplateStore({.directory = dir.File("s")}));
    Mutex mutex;
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (uint64_t i = 0; i < 500; ++i) {
          const auto first = store->ReserveUids(i % 40 + 1);
          FACEGATE_CHECK(first.ok());
          const MutexLock lock(mutex);
          for (uint64_t uid = *first; uid <= *first + i % 40; ++uid) seen.insert(uid);
          given += i % 40 + 1;
        }
      });
    }
  }
  EXPECT_EQ(seen.size(), given);
  EXPECT_GE(*seen.begin(), 1u);
}

TEST(TemplateStoreTest, GivesOutMoreNumbersThanABlock) {
  TempDir dir;
  FACEGATE_ASSERT_OK_AND_ASSIGN(auto store, OpenTemplateStore({.directory = dir.File("s")}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t first, store->ReserveUids(100'000));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const uint64_t second, store->ReserveUids(1));
  EXPECT_EQ(second, first + 100'000);
  EXPECT_THAT(store->ReserveUids(kUidLimit), StatusIs(StatusCode::kInternal));
  EXPECT_THAT(store->ReserveUids(UINT64_MAX), StatusIs(StatusCode::kInternal));
}

class ErasureTest : public GalleryTest {
 protected:
  ErasureTest() {
    Enrol("staying-behind", staying_);
    Enrol("zebra-crossing", erased_);
  }

  size_t Count(const std::string& bytes) { return CountInFiles(directory(), bytes); }
  void ExpectErasedAfterCompaction() {
    ASSERT_THAT(gallery_->Compact(), IsOk());
    gallery_.reset();
    EXPECT_EQ(Count(BytesOf(erased_)), 0u);
    EXPECT_GT(Count(BytesOf(staying_)), 0u);
    gallery_ = OpenOrDie(directory(), clock_);
    EXPECT_EQ(Search(staying_, 1)->front().identity, "staying-behind");
    EXPECT_EQ(Count(BytesOf(erased_)), 0u);
  }

  const Embedding staying_ = Random();
  const Embedding erased_ = Random();
};

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

// The mark that something is still to be erased.
class ErasePendingTest : public ErasureTest {
 protected:
  static std::unique_ptr<TemplateStore> OpenStore(const std::string& path) {
    auto store = OpenTemplateStore({.directory = path});
    FACEGATE_CHECK(store.ok());
    return *std::move(store);
  }
  static bool Pending(const std::string& path) { return OpenStore(path)->erase_pending(); }
  // The files as a killed process would leave them.
  std::string Copy() {
    std::string copy = dir_.File("copy");
    fs::remove_all(copy);
    fs::copy(directory(), copy, fs::copy_options::recursive);
    return copy;
  }
  // The only identity of `store` with that id.
  static IdentityKey KeyOf(const TemplateStore& store, const std::string& id) {
    IdentityKey key;
    FACEGATE_CHECK(store
                       .ReadIdentities([&](const StoredIdentity& identity) {
                         if (identity.id == id) key = identity.key;
                         return OkStatus();
                       })
                       .ok());
    return key;
  }
  // With its templates.
  static StoreChange DeletionOf(const TemplateStore& store, const IdentityKey& key) {
    StoreChange change;
    change.deleted_identities.push_back(key);
    const IdentityKey next{.collection = key.collection, .identity = key.identity + 1};
    FACEGATE_CHECK(store
                       .ReadTemplates(key, next,
                                      [&](const StoredTemplate& one) {
                                        change.deleted_templates.push_back(one.key);
                                        return OkStatus();
                                      })
                       .ok());
    return change;
  }
};

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

// The mark of each family, which the second format did not have.
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
  EXPECT_EQ((*again)->stats().templates, 1u);
  EXPECT_EQ((*again)->Search("people", TestModel(), staying_, 1)->front().identity, "n-1");
  const auto ticket = (*again)->BeginRequest(RequestId{{1}}, std::string(kFingerprintBytes, 'f'));
  ASSERT_THAT(ticket, IsOk());
  EXPECT_EQ(ticket->answer, "answer");
}

// What is left of a process that ends without closing: the files as they are.
class StoreRecoveryTest : public GalleryTest {
 protected:
  static constexpr int kSteps = 40;

  StoreRecoveryTest() {
    states_.push_back(SnapshotOf(*gallery_));
    for (int i = 0; i < kSteps; ++i) {
      if (i % 4 == 3) {
        FACEGATE_CHECK(gallery_->DeleteIdentity("people", "p" + std::to_string(i - 2)).ok());
      } else {
        const std::vector<NewTemplate> templates(10, TemplateOf(Random()));
        FACEGATE_CHECK(
            gallery_->Enrol("people", "p" + std::to_string(i), TestModel(), templates, {}).ok());
      }
      states_.push_back(SnapshotOf(*gallery_));
    }
  }

  std::string Copy() {
    std::string copy = dir_.File("copy");
    fs::remove_all(copy);
    fs::copy(directory(), copy, fs::copy_options::recursive);
    return copy;
  }
  // The largest file with that extension.
  static std::string Largest(const std::string& directory, const std::string& extension) {
    std::string largest;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().extension() != extension) continue;
      if (largest.empty() || entry.file_size() > fs::file_size(largest)) {
        largest = entry.path().string();
      }
    }
    FACEGATE_CHECK(!largest.empty());
    return largest;
  }
  static void FlipBit(const std::string& path, size_t bit) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(bit / 8));
    const auto byte = static_cast<char>(file.get() ^ (1 << bit % 8));
    file.seekp(static_cast<std::streamoff>(bit / 8));
    file.put(byte);
    FACEGATE_CHECK(file.good());
  }
  static size_t Find(const std::string& path, const std::string& bytes) {
    std::ifstream file(path, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), {});
    const size_t at = content.find(bytes);
    FACEGATE_CHECK(at != std::string::npos);
    return at;
  }
  // Which of the states the store is in, or -1 when it refuses to open as corrupt.
  int StateOf(const std::string& path) {
    auto gallery = OpenLocalGallery({.directory = path}, clock_);
    if (!gallery.ok()) {
      EXPECT_THAT(gallery, RefusedWith(Reason::kStoreCorrupt));
      return -1;
    }
    const auto found = std::find(states_.begin(), states_.end(), SnapshotOf(**gallery));
    EXPECT_TRUE(found != states_.end()) << "the store is in a state that never was";
    return static_cast<int>(found - states_.begin());
  }

  std::vector<GallerySnapshot> states_;  // after each step
};

TEST_F(StoreRecoveryTest, FindsEverythingAfterAnEndWithoutClosing) {
  EXPECT_EQ(StateOf(Copy()), kSteps);
}

// A log that ends early is what a power loss leaves; whole steps are lost, never parts.
TEST_F(StoreRecoveryTest, KeepsWholeStepsOfATruncatedLog) {
  const size_t size = fs::file_size(Largest(directory(), ".log"));
  ASSERT_GT(size, 30'000u);
  int last = kSteps;
  for (size_t cut = 0; cut < 24; ++cut) {
    const std::string copy = Copy();
    fs::resize_file(Largest(copy, ".log"), size - 1 - cut * (size / 25));
    const int state = StateOf(copy);
    EXPECT_GE(state, 0);
    EXPECT_LE(state, last);
    last = state;
  }
  EXPECT_LT(last, kSteps / 2);
}

TEST_F(StoreRecoveryTest, RefusesALogWithADamagedRecord) {
  const auto& early = states_[2].collections[0].identities[0].templates[0];
  const std::string bytes = BytesOf(*Embedding::FromUnit(std::get<4>(early)));
  const std::string copy = Copy();
  const std::string log = Largest(copy, ".log");
  FlipBit(log, 8 * Find(log, bytes) + 3);
  EXPECT_EQ(StateOf(copy), -1);
}

// A flipped length at the log's end looks like a write that was cut off; every other damage is
// found. In no case is there a state that never was.
TEST_F(StoreRecoveryTest, NeverInventsAStateFromADamagedLog) {
  const size_t bits = 8 * fs::file_size(Largest(directory(), ".log"));
  int refused = 0;
  for (int round = 0; round < 40; ++round) {
    const std::string copy = Copy();
    FlipBit(Largest(copy, ".log"), random_() % bits);
    refused += StateOf(copy) == -1 ? 1 : 0;
  }
  EXPECT_GT(refused, 30);
}

TEST_F(StoreRecoveryTest, RefusesATableWithADamagedBlock) {
  const auto& any = states_.back().collections[0].identities[0].templates[0];
  const std::string bytes = BytesOf(*Embedding::FromUnit(std::get<4>(any)));
  gallery_.reset();
  const std::string table = Largest(directory(), ".sst");
  FlipBit(table, 8 * Find(table, bytes) + 5);
  EXPECT_EQ(StateOf(directory()), -1);
}

TEST_F(StoreRecoveryTest, NeverLosesRecordsOfADamagedTable) {
  gallery_.reset();
  const size_t bits = 8 * fs::file_size(Largest(directory(), ".sst"));
  for (int round = 0; round < 40; ++round) {
    const std::string copy = Copy();
    FlipBit(Largest(copy, ".sst"), random_() % bits);
    // Some bits mean nothing (statistics of the table).
    EXPECT_THAT(StateOf(copy), ::testing::AnyOf(-1, kSteps));
  }
}

}  // namespace
}  // namespace facegate
