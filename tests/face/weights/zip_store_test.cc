#include "face/weights/zip_store.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/support/torch_file.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

const std::vector<ZipEntry>& Entries() {
  static const std::vector<ZipEntry> entries = {
      {"a/data.pkl", "pickle"}, {"a/data/0", std::string("\0\1\2\3", 4)}, {"a/empty", ""}};
  return entries;
}

void ExpectReads(const std::string& archive) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore zip, ZipStore::Open(archive));
  EXPECT_EQ(zip.entries().size(), Entries().size());
  for (const ZipEntry& entry : Entries()) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string_view bytes, zip.Read(entry.name));
    EXPECT_EQ(bytes, entry.content) << entry.name;
  }
}

TEST(ZipStoreTest, ReadsStoredEntries) { ExpectReads(ZipArchive(Entries())); }

TEST(ZipStoreTest, ReadsZip64Records) { ExpectReads(ZipArchive(Entries(), {.zip64 = true})); }

TEST(ZipStoreTest, ReadsEntriesWithDataDescriptors) {
  ExpectReads(ZipArchive(Entries(), {.descriptors = true}));
}

TEST(ZipStoreTest, ReadsPastTheExtraFieldThatAlignsEntries) {
  ExpectReads(ZipArchive(Entries(), {.padding = 57}));
}

TEST(ZipStoreTest, ReadsEntriesWithoutChecksum) {
  ExpectReads(ZipArchive(Entries(), {.checksums = false}));
}

TEST(ZipStoreTest, NamesTheEntryThatIsMissing) {
  const std::string archive = ZipArchive(Entries());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore zip, ZipStore::Open(archive));
  EXPECT_THAT(zip.Read("a/data/1"), StatusIs(StatusCode::kNotFound));
}

TEST(ZipStoreTest, RefusesCompressedAndEncryptedEntriesByName) {
  const std::string deflated = ZipArchive(Entries(), {.method = 8});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore zip, ZipStore::Open(deflated));
  EXPECT_THAT(zip.Read("a/data.pkl").status().ToString(),
              HasSubstr("\"a/data.pkl\" is compressed by method 8"));
  const std::string encrypted = ZipArchive(Entries(), {.flags = 1});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore locked, ZipStore::Open(encrypted));
  EXPECT_THAT(locked.Read("a/data.pkl").status().ToString(), HasSubstr("encrypted"));
}

TEST(ZipStoreTest, RefusesDamagedContent) {
  std::string archive = ZipArchive(Entries());
  archive[archive.find("pickle")] = 'P';
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ZipStore zip, ZipStore::Open(archive));
  EXPECT_THAT(zip.Read("a/data.pkl").status().ToString(), HasSubstr("CRC-32"));
  EXPECT_THAT(zip.Read("a/data/0"), IsOk());
}

TEST(ZipStoreTest, RefusesRepeatedEntries) {
  EXPECT_THAT(ZipStore::Open(ZipArchive({{"a", "1"}, {"a", "2"}})).status().ToString(),
              HasSubstr("\"a\" stands twice"));
}

TEST(ZipStoreTest, RefusesEntriesThatClaimMoreThanTheArchive) {
  std::string archive = ZipArchive({{"a", std::string(100, 'x')}, {"b", "y"}});
  const size_t second = archive.rfind("PK\x01\x02");
  archive[second + 20] = archive[second + 24] = '\xff';  // both sizes become 255
  EXPECT_THAT(ZipStore::Open(archive).status().ToString(), HasSubstr("claim more"));
}

TEST(ZipStoreTest, RefusesADirectoryThatLiesOutside) {
  std::string archive = ZipArchive(Entries());
  archive[archive.size() - 6 + 3] = '\x7f';  // the highest byte of the directory's offset
  EXPECT_THAT(ZipStore::Open(archive).status().ToString(), HasSubstr("does not fit"));
}

TEST(ZipStoreTest, RefusesSeveralVolumes) {
  std::string archive = ZipArchive(Entries());
  archive[archive.size() - 18] = 1;
  EXPECT_THAT(ZipStore::Open(archive).status().ToString(), HasSubstr("several volumes"));
}

// Opens and reads everything; the content of entries that are read must be inside the archive.
bool ReadsWhole(const std::string& archive) {
  const auto zip = ZipStore::Open(archive);
  if (!zip.ok()) return false;
  bool all = zip->entries().size() == Entries().size();
  for (const auto& [name, entry] : zip->entries()) {
    const auto bytes = zip->Read(name);
    all = all && bytes.ok();
    if (bytes.ok() && !bytes->empty()) {
      EXPECT_GE(bytes->data(), archive.data());
      EXPECT_LE(bytes->data() + bytes->size(), archive.data() + archive.size());
    }
  }
  return all;
}

TEST(ZipStoreTest, RefusesEveryTruncation) {
  for (const bool zip64 : {false, true}) {
    const std::string archive = ZipArchive(Entries(), {.zip64 = zip64});
    ASSERT_TRUE(ReadsWhole(archive));
    for (size_t size = 0; size < archive.size(); ++size) {
      EXPECT_FALSE(ReadsWhole(archive.substr(0, size))) << size;
    }
  }
}

TEST(ZipStoreTest, SurvivesEveryBitFlip) {
  const std::string archive = ZipArchive(Entries(), {.zip64 = true});
  for (size_t i = 0; i < archive.size() * 8; ++i) {
    std::string flipped = archive;
    flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ (1 << (i % 8)));
    ReadsWhole(flipped);
  }
}

}  // namespace
}  // namespace facegate
