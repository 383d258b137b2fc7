// A disk that is full or broken: this program puts its own write() and fdatasync() before those of
// the C library, so that RocksDB meets the failure where it would meet a real one.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "face/base/mutex.h"
#include "index/store/store_format.h"
#include "tests/index/local/gallery_fixture.h"
#include "tests/index/store/committed_store.h"
#include "tests/index/store/filled_gallery.h"

namespace {

std::atomic<int> write_error{0};
std::atomic<int> sync_error{0};
constexpr uint64_t kAsItIs = ~uint64_t{0};
std::atomic<uint64_t> free_bytes{kAsItIs};  // that the disk says it has
char failing_directory[256] = "";

bool IsFailing(int fd) {
  if (failing_directory[0] == '\0') return false;
  char link[64];
  char path[512];
  std::snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, path, sizeof(path) - 1);
  return size > 0 && std::strncmp(path, failing_directory, std::strlen(failing_directory)) == 0;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  if (const int error = write_error.load(); error != 0 && IsFailing(fd)) {
    errno = error;
    return -1;
  }
  return ::syscall(SYS_write, fd, bytes, size);
}

int statvfs(const char* path, struct statvfs* disk) {
  using Statvfs = int (*)(const char*, struct statvfs*);
  static const auto real = reinterpret_cast<Statvfs>(::dlsym(RTLD_NEXT, "statvfs"));
  const int result = real(path, disk);
  if (const uint64_t free = free_bytes.load(); result == 0 && free != kAsItIs) {
    disk->f_bavail = free / disk->f_frsize;
  }
  return result;
}

int fdatasync(int fd) {
  if (const int error = sync_error.load(); error != 0 && IsFailing(fd)) {
    errno = error;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

}  // extern "C"

namespace facegate {
namespace {

constexpr std::chrono::seconds kPatience(60);

class DiskFailureTest : public GalleryTest {
 protected:
  DiskFailureTest() {
    OpenWatched();
    for (int i = 0; i < 5; ++i) Enrol("p" + std::to_string(i), Random());
    before_ = SnapshotOf(*gallery_);
    // The device must be watched from before the first failure.
    const std::string real = std::filesystem::canonical(directory()).string();
    FACEGATE_CHECK(real.size() < sizeof(failing_directory));
    std::strcpy(failing_directory, real.c_str());
  }
  ~DiskFailureTest() override {
    Heal();
    gallery_.reset();  // before what it tells of its health to
    failing_directory[0] = '\0';
  }
  static void Heal() {
    write_error = sync_error = 0;
    free_bytes = kAsItIs;
  }

  Status TryToEnrol() {
    const std::vector<NewTemplate> one{TemplateOf(Random())};
    return gallery_->Enrol("people", "new", TestModel(), one, {}).status();
  }

  // Opens a store that is tried again at once, and whose changes of health are noted.
  void OpenWatched() {
    gallery_.reset();
    auto gallery = OpenLocalGallery({.directory = directory(),
                                     .upkeep_interval = std::chrono::milliseconds(20),
                                     .on_write_health =
                                         [this](const Status& state) {
                                           const MutexLock lock(mutex_);
                                           told_.push_back(state.code());
                                         }},
                                    clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = *std::move(gallery);
  }
  std::vector<StatusCode> Told() {
    const MutexLock lock(mutex_);
    return told_;
  }
  bool BecomesHealthy() const {
    const auto patience = std::chrono::steady_clock::now() + kPatience;
    while (!gallery_->WriteHealth().ok() && std::chrono::steady_clock::now() < patience) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return gallery_->WriteHealth().ok();
  }

  GallerySnapshot before_;
  Mutex mutex_;
  std::vector<StatusCode> told_ FACEGATE_GUARDED_BY(mutex_);
};

TEST_F(DiskFailureTest, SaysThatTheDiskIsFullAndKeepsServing) {
  write_error = ENOSPC;
  EXPECT_THAT(TryToEnrol(), RefusedWith(Reason::kStoreFull));
  EXPECT_THAT(gallery_->DeleteIdentity("people", "p1"), RefusedWith(Reason::kStoreFull));
  EXPECT_THAT(gallery_->DeleteCollection("people", true), RefusedWith(Reason::kStoreFull));
  EXPECT_EQ(SnapshotOf(*gallery_), before_);
  EXPECT_EQ(Search(Random(), 9)->size(), 5u);
  Heal();
  Reopen();
  EXPECT_EQ(SnapshotOf(*gallery_), before_);
  EXPECT_THAT(TryToEnrol(), IsOk());
}

// Other programs fill the disk, too.
TEST_F(DiskFailureTest, DeletionsAreTakenOnAFullDisk) {
  const std::string reserve = directory() + "/RESERVE";
  ASSERT_TRUE(std::filesystem::exists(reserve));
  free_bytes = 0;
  EXPECT_THAT(TryToEnrol(), RefusedWith(Reason::kStoreFull));
  EXPECT_THAT(gallery_->WriteHealth(), RefusedWith(Reason::kStoreFull));
  EXPECT_TRUE(std::filesystem::exists(reserve));
  EXPECT_THAT(gallery_->DeleteIdentity("people", "p1"), IsOk());
  EXPECT_FALSE(std::filesystem::exists(reserve)) << "its room was needed";
  EXPECT_THAT(gallery_->WriteHealth(), RefusedWith(Reason::kStoreFull)) << "no more fits";
  EXPECT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  Heal();
  EXPECT_TRUE(BecomesHealthy());
  while (!std::filesystem::exists(reserve)) std::this_thread::yield();
  EXPECT_THAT(gallery_->GetCollection("people"), RefusedWith(Reason::kCollectionNotFound));
}

// A process that was killed while it made the file.
TEST_F(DiskFailureTest, AReserveThatKeepsNothingIsMadeAgain) {
  const std::string reserve = directory() + "/RESERVE";
  gallery_.reset();
  std::filesystem::resize_file(reserve, 0);
  gallery_ = OpenOrDie(directory(), clock_);
  EXPECT_GE(std::filesystem::file_size(reserve), uint64_t{1} << 20);
}

// Room that is kept for deletions is not taken by what adds, whatever the database has room for.
TEST_F(DiskFailureTest, WhatAddsLeavesTheRoomOfDeletions) {
  free_bytes = uint64_t{1} << 20;
  EXPECT_THAT(TryToEnrol(), RefusedWith(Reason::kStoreFull));
  EXPECT_THAT(gallery_->CreateCollection("more", TestModel(), 4, {}),
              RefusedWith(Reason::kStoreFull));
  EXPECT_EQ(SnapshotOf(*gallery_), before_);
  EXPECT_EQ(Search(Random(), 9)->size(), 5u);
}

TEST_F(DiskFailureTest, StopsWritesInWordsAfterAFailedSync) {
  sync_error = EIO;
  EXPECT_THAT(TryToEnrol(), StatusIs(StatusCode::kInternal));
  Heal();
  const Status later = TryToEnrol();
  EXPECT_THAT(later, StatusIs(StatusCode::kInternal));
  EXPECT_NE(MessageOf(later).find("takes no writes until"), std::string_view::npos) << later;
  EXPECT_EQ(SnapshotOf(*gallery_), before_);
  EXPECT_EQ(Search(Random(), 9)->size(), 5u);
  const GallerySnapshot memory = SnapshotOf(*gallery_);
  Reopen();
  // The write whose sync failed may be found done: it is whole then, and nothing else differs.
  GallerySnapshot reopened = SnapshotOf(*gallery_);
  auto& identities = reopened.collections.front().identities;
  if (!(reopened == memory)) {
    ASSERT_EQ(identities.size(), 6u);
    EXPECT_EQ(identities.front().id, "new");
    EXPECT_EQ(identities.front().templates.size(), 1u);
    identities.erase(identities.begin());
    EXPECT_EQ(identities, before_.collections.front().identities);
  }
  EXPECT_THAT(TryToEnrol(), IsOk());
}

TEST_F(DiskFailureTest, ChangesAreTakenAgainByThemselvesOnceThereIsRoom) {
  EXPECT_THAT(gallery_->WriteHealth(), IsOk());
  write_error = ENOSPC;
  for (int i = 0; i < 3; ++i) EXPECT_THAT(TryToEnrol(), RefusedWith(Reason::kStoreFull));
  EXPECT_THAT(gallery_->WriteHealth(), RefusedWith(Reason::kStoreFull));
  // Meanwhile it is tried again and again.
  for (int i = 0; i < 30; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_THAT(TryToEnrol(), RefusedWith(Reason::kStoreFull));
  }
  Heal();
  ASSERT_TRUE(BecomesHealthy());
  EXPECT_THAT(TryToEnrol(), IsOk());
  EXPECT_THAT(Told(), ::testing::ElementsAre(StatusCode::kResourceExhausted, StatusCode::kOk));
}

TEST_F(DiskFailureTest, ABrokenDiskIsToldOnceAndStaysBroken) {
  sync_error = EIO;
  for (int i = 0; i < 3; ++i) EXPECT_THAT(TryToEnrol(), StatusIs(StatusCode::kInternal));
  Heal();
  EXPECT_THAT(TryToEnrol(), StatusIs(StatusCode::kInternal));
  EXPECT_THAT(gallery_->WriteHealth(), RefusedWith(Reason::kInternal));
  EXPECT_THAT(Told(), ::testing::ElementsAre(StatusCode::kInternal));
}

TEST_F(DiskFailureTest, DoesNotOpenOnAFullDisk) {
  gallery_.reset();
  write_error = ENOSPC;
  EXPECT_THAT(OpenLocalGallery({.directory = directory()}, clock_),
              RefusedWith(Reason::kStoreFull));
  Heal();
  gallery_ = OpenOrDie(directory(), clock_);
  EXPECT_EQ(SnapshotOf(*gallery_), before_);
}

// A store of an earlier format needs room for its templates once more.
class TakeoverOnFullDiskTest : public ::testing::Test {
 protected:
  TakeoverOnFullDiskTest() {
    CopyStore(CommittedStore("format_3"), directory());
    const std::string real = std::filesystem::canonical(directory()).string();
    FACEGATE_CHECK(real.size() < sizeof(failing_directory));
    std::strcpy(failing_directory, real.c_str());
  }
  ~TakeoverOnFullDiskTest() override {
    Heal();
    failing_directory[0] = '\0';
  }
  static void Heal() {
    write_error = 0;
    free_bytes = kAsItIs;
  }
  std::string directory() const { return dir_.File("store"); }

  // Takes the store over in small batches, and calls `fill` before the third.
  Status TakeOver(const std::function<void()>& fill) {
    FACEGATE_ASSIGN_OR_RETURN(const auto database, StoreDatabase::Open(directory(), {}));
    int batches = 0;
    return PrepareFormat(*database, {.batch_bytes = 1000, .before_batch = [&] {
                                       if (++batches == 3) fill();
                                       return OkStatus();
                                     }});
  }
  void ExpectToGoOnAfter(const std::function<void()>& fill) {
    const Status status = TakeOver(fill);
    EXPECT_THAT(status, RefusedWith(Reason::kStoreFull));
    EXPECT_THAT(std::string(MessageOf(status)), ::testing::HasSubstr("the next opening goes on"));
    Heal();
    CountingClock clock;
    EXPECT_EQ(DescribeGallery(*OpenOrDie(directory(), clock)), ToldOfCommittedStore("format_3"));
  }

  TempDir dir_;
};

TEST_F(TakeoverOnFullDiskTest, GoesOnAfterRoomWasKeptForDeletions) {
  ExpectToGoOnAfter([] { free_bytes = 0; });
}

TEST_F(TakeoverOnFullDiskTest, GoesOnAfterAWriteFailed) {
  ExpectToGoOnAfter([] { write_error = ENOSPC; });
}

}  // namespace
}  // namespace facegate
