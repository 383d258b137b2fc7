#include "clients/cli/private_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/temp_dir.h"

namespace facegate::cli {
namespace {

using std::filesystem::perms;

std::string Content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(PrivateFileTest, IsForItsOwnerAloneWhateverLayThere) {
  const TempDir dir;
  std::ofstream(dir.File("a")) << "for everybody";
  std::filesystem::permissions(dir.File("a"), perms::all);
  EXPECT_EQ(WritePrivateFile(dir.File("a"), "mine"), std::nullopt);
  EXPECT_EQ(Content(dir.File("a")), "mine");
  EXPECT_EQ(std::filesystem::status(dir.File("a")).permissions(),
            perms::owner_read | perms::owner_write);
}

TEST(PrivateFileTest, FollowsNoLink) {
  const TempDir dir;
  std::ofstream(dir.File("precious")) << "kept";
  std::filesystem::create_symlink(dir.File("precious"), dir.File("a"));
  std::filesystem::create_symlink(dir.File("precious"),
                                  dir.File(".facegate-" + std::to_string(::getpid()) + ".tmp"));
  EXPECT_EQ(WritePrivateFile(dir.File("a"), "mine"), std::nullopt);
  EXPECT_EQ(Content(dir.File("precious")), "kept");
  EXPECT_EQ(Content(dir.File("a")), "mine");
}

TEST(PrivateFileTest, MayHaveTheLongestName) {
  const TempDir dir;
  const std::string path = dir.File(std::string(251, 'n') + ".npy");
  EXPECT_EQ(WritePrivateFile(path, "mine"), std::nullopt);
  EXPECT_EQ(Content(path), "mine");
}

TEST(PrivateFileTest, LeavesNothingBehindWhenItFails) {
  const TempDir dir;
  std::filesystem::create_directory(dir.File("folder"));
  EXPECT_EQ(WritePrivateFile(dir.File("folder"), "mine"), "Is a directory");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(PrivateFileTest, SaysWhyItCannotBeWritten) {
  const TempDir dir;
  EXPECT_EQ(WritePrivateFile(dir.File("absent/a"), "mine"), "No such file or directory");
}

}  // namespace
}  // namespace facegate::cli
