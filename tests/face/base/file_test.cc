#include "face/base/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

TEST(FileTest, WrittenBytesAreReadBackAndReplaced) {
  const TempDir dir;
  const std::string path = dir.File("a");
  ASSERT_THAT(WriteFileAtomically(path, "first"), IsOk());
  ASSERT_THAT(WriteFileAtomically(path, std::string("\0second", 7)), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes, ReadFile(path, 100));
  EXPECT_EQ(bytes, std::string("\0second", 7));
}

TEST(FileTest, NoTemporaryFileStaysBehind) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("a"), "x"), IsOk());
  EXPECT_THAT(WriteFileAtomically(dir.File("absent/a"), "x"), StatusIs(StatusCode::kNotFound));
  const std::filesystem::directory_iterator files(dir.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

// The temporary name can be guessed: whoever may write to the folder could have laid a link there.
TEST(FileTest, FollowsNoLinkThatLiesInItsWay) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("precious"), "kept"), IsOk());
  std::filesystem::create_symlink(dir.File("precious"),
                                  dir.File("a.tmp." + std::to_string(::getpid())));
  std::filesystem::create_symlink(dir.File("precious"), dir.File("a"));
  ASSERT_THAT(WriteFileAtomically(dir.File("a"), "new"), IsOk());
  EXPECT_EQ(ReadFile(dir.File("precious"), 100).value(), "kept");
  EXPECT_EQ(ReadFile(dir.File("a"), 100).value(), "new");
  EXPECT_FALSE(std::filesystem::is_symlink(dir.File("a")));
}

TEST(FileTest, AbsentAndTooLargeFilesAndFoldersAreRefused) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("a"), "12345"), IsOk());
  EXPECT_THAT(ReadFile(dir.File("b"), 100), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(ReadFile(dir.File("a"), 4), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadFile(dir.path().string(), 100), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
