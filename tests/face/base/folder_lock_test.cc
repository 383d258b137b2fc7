#include "face/base/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

TEST(FolderLockTest, HoldsAFolderForOneAtATime) {
  const TempDir dir;
  const std::string folder = dir.path().string();
  {
    const auto lock = FolderLock::Take(folder);
    ASSERT_THAT(lock, IsOk());
    const auto other = FolderLock::Take(folder);
    ASSERT_THAT(other, StatusIs(StatusCode::kFailedPrecondition));
    EXPECT_THAT(std::string(MessageOf(other.status())),
                ::testing::HasSubstr("another process works in"));
  }
  EXPECT_THAT(FolderLock::Take(folder), IsOk());
}

TEST(FolderLockTest, MovesWithItsOwner) {
  const TempDir dir;
  auto lock = FolderLock::Take(dir.path().string());
  ASSERT_THAT(lock, IsOk());
  std::optional<FolderLock> owner(*std::move(lock));
  EXPECT_FALSE(FolderLock::Take(dir.path().string()).ok());
  owner.reset();
  EXPECT_THAT(FolderLock::Take(dir.path().string()), IsOk());
}

TEST(FolderLockTest, NeedsAFolderToWriteTo) {
  const TempDir dir;
  EXPECT_THAT(FolderLock::Take(dir.File("absent")), StatusIs(StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace facegate
