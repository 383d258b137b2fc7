#include "index/store_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "index/template_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

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

}  // namespace
}  // namespace facegate
