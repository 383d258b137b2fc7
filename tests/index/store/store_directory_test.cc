#include "index/store/store_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "index/store/store_database.h"
#include "index/store/template_store.h"
#include "tests/index/local/gallery_fixture.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StoreDirectoryTest, TellsAHeldLockFromOtherTroubles) {
  for (const char* held :
       {"IO error: lock hold by current process, acquire time 1700000000 acquiring thread 1: "
        "/d/LOCK: No locks available",
        "IO error: While lock file: /d/LOCK: Resource temporarily unavailable",
        "IO error: While lock file: /d/LOCK: Permission denied"}) {
    EXPECT_TRUE(SaysThatLockIsHeld(held)) << held;
  }
  for (const char* other :
       {"IO error: while open a file for lock: /d/LOCK: Permission denied",
        "IO error: while open a file for lock: /d/LOCK: Read-only file system",
        "IO error: while open a file for lock: /d/LOCK: Too many open files",
        "IO error: While lock file: /d/LOCK: No locks available",
        "IO error: While lock file: /d/LOCK: Function not implemented",
        "IO error: While open directory: /blocks: Resource temporarily unavailable", ""}) {
    EXPECT_FALSE(SaysThatLockIsHeld(other)) << other;
  }
}

TEST(StoreDirectoryTest, AStoreThatIsOpenIsInUse) {
  const TempDir dir;
  const auto first = OpenTemplateStore({.directory = dir.File("store")});
  ASSERT_THAT(first, IsOk());
  const auto second = OpenTemplateStore({.directory = dir.File("store")});
  EXPECT_THAT(second, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(second.status())), HasSubstr("is in use"));
}

TEST(StoreDirectoryTest, ALockFileThatCannotBeOpenedIsNotInUse) {
  const TempDir dir;
  std::filesystem::create_directories(dir.path() / "store" / "LOCK");  // no file to lock
  const auto store = OpenTemplateStore({.directory = dir.File("store")});
  ASSERT_FALSE(store.ok());
  const std::string message(MessageOf(store.status()));
  EXPECT_THAT(message, Not(HasSubstr("in use")));
  EXPECT_THAT(message, HasSubstr("Is a directory"));
}

// A gallery's directory as a process leaves it that is killed.
class MissingLogTest : public GalleryTest {
 protected:
  MissingLogTest() { Enrol("jane", Random()); }

  void Kill() {
    fs::copy(directory(), Killed(), fs::copy_options::recursive);
    gallery_.reset();
  }
  std::string Killed() const { return dir_.File("killed"); }
  static void RemoveLogs(const std::string& directory) {
    std::vector<fs::path> logs;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().extension() == ".log") logs.push_back(entry.path());
    }
    ASSERT_FALSE(logs.empty());
    for (const fs::path& log : logs) fs::remove(log);
  }
  void ExpectRefused(const std::string& directory) {
    const auto gallery = OpenLocalGallery({.directory = directory}, clock_);
    EXPECT_THAT(gallery, RefusedWith(Reason::kStoreCorrupt));
    const std::string message(MessageOf(gallery.status()));
    EXPECT_THAT(message, HasSubstr(".log is missing"));
    EXPECT_THAT(message, HasSubstr("restore the directory " + directory + " from a backup"));
  }
};

TEST_F(MissingLogTest, IsRefusedAfterAKill) {
  Kill();
  RemoveLogs(Killed());
  ExpectRefused(Killed());
}

TEST_F(MissingLogTest, IsRefusedAfterAnotherOpening) {
  Reopen();
  Enrol("john", Random());
  Kill();
  RemoveLogs(Killed());
  ExpectRefused(Killed());
}

// The log that a compaction began.
TEST_F(MissingLogTest, IsRefusedWhereAnOlderLogIsThere) {
  const std::string old_log = (fs::path(dir_.File("old"))).string();
  fs::copy(directory(), old_log, fs::copy_options::recursive);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Enrol("john", Random());
  Kill();
  RemoveLogs(Killed());
  for (const auto& entry : fs::directory_iterator(old_log)) {
    if (entry.path().extension() == ".log") fs::copy(entry.path(), Killed());
  }
  ExpectRefused(Killed());
}

TEST_F(MissingLogTest, IsRefusedAfterACleanStopAndWithoutANote) {
  gallery_.reset();
  RemoveLogs(directory());
  ExpectRefused(directory());
  fs::remove(fs::path(directory()) / kLogNote);
  const auto gallery = OpenLocalGallery({.directory = directory()}, clock_);
  EXPECT_THAT(gallery, RefusedWith(Reason::kStoreCorrupt));
}

TEST_F(MissingLogTest, IsNoneWhereTheLogIsThere) {
  const GallerySnapshot before = SnapshotOf(*gallery_);
  ASSERT_THAT(gallery_->Compact(), IsOk());
  Kill();
  // A store of an earlier version, and a note that came late.
  const fs::path note = fs::path(Killed()) / kLogNote;
  for (const char* text : {"000001.log\n", ""}) {
    fs::remove(note);
    if (*text != '\0') std::ofstream(note) << text;
    auto gallery = OpenLocalGallery({.directory = Killed()}, clock_);
    ASSERT_THAT(gallery, IsOk()) << text;
    EXPECT_EQ(SnapshotOf(**gallery), before);
  }
}

TEST_F(MissingLogTest, ANoteThatNamesNoLogIsRefused) {
  gallery_.reset();
  std::ofstream(fs::path(directory()) / kLogNote) << "damaged";
  EXPECT_THAT(OpenLocalGallery({.directory = directory()}, clock_),
              RefusedWith(Reason::kStoreCorrupt));
}

// A database with two logs that are needed: one family is flushed, another has records in both.
class TwoLogsTest : public ::testing::Test {
 protected:
  TwoLogsTest() {
    auto database = StoreDatabase::Open(dir_.File("store"), {});
    FACEGATE_CHECK(database.ok());
    database_ = *std::move(database);
    Write(Family::kIdentities, "in the first log");
    Write(Family::kTemplates, "in the first log");
    FACEGATE_CHECK(database_->db()
                       .Flush(rocksdb::FlushOptions(), database_->HandleOf(Family::kTemplates))
                       .ok());
    Write(Family::kIdentities, "in the second log");
  }

  void Write(Family family, const std::string& key) {
    rocksdb::WriteBatch batch;
    FACEGATE_CHECK(batch.Put(database_->HandleOf(family), key, "value").ok());
    FACEGATE_CHECK(database_->Write(batch, "writing", StoreDatabase::Kind::kAdds).ok());
  }
  // Lists the files in the order of their numbers.
  static std::vector<fs::path> FilesIn(const fs::path& directory, const std::string& part) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().filename().string().find(part) != std::string::npos) {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  TempDir dir_;
  std::unique_ptr<StoreDatabase> database_;
};

TEST_F(TwoLogsTest, TheOlderOneMustBeThere) {
  const std::string killed = dir_.File("killed");
  fs::copy(dir_.File("store"), killed, fs::copy_options::recursive);
  const std::vector<fs::path> logs = FilesIn(killed, ".log");
  ASSERT_EQ(logs.size(), 2u);
  fs::rename(logs.front(), dir_.File("aside"));
  {
    const auto opened = StoreDatabase::Open(killed, {});
    EXPECT_THAT(opened, RefusedWith(Reason::kStoreCorrupt));
    EXPECT_THAT(std::string(MessageOf(opened.status())),
                HasSubstr("log number: " + std::to_string(std::stoi(logs.front().stem()))));
  }
  fs::rename(dir_.File("aside"), logs.front());
  EXPECT_THAT(StoreDatabase::Open(killed, {}), IsOk());
}

// Some versions of RocksDB note an older log again with each write.
TEST_F(TwoLogsTest, WritesDoNotNoteTheOlderOneAgain) {
  const auto size = [&] { return fs::file_size(FilesIn(dir_.File("store"), "MANIFEST").back()); };
  const std::uintmax_t before = size();
  for (int i = 0; i < 20; ++i) Write(Family::kIdentities, std::to_string(i));
  EXPECT_EQ(size(), before);
}

}  // namespace
}  // namespace facegate
