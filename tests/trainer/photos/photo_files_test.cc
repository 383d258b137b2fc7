#include "trainer/photos/photo_files.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

class WholePathTest : public ::testing::Test {
 protected:
  WholePathTest() {
    fs::create_directories(dir_.File("real/inner"));
    fs::create_directory_symlink(dir_.File("real/inner"), dir_.File("link"));
  }
  TempDir dir_;
  const fs::path root_ = fs::canonical(dir_.path());
};

TEST_F(WholePathTest, LinksBeforeTwoDotsAreFollowed) {
  EXPECT_EQ(WholePath(dir_.File("link/../x.png")), root_ / "real/x.png");
}

TEST_F(WholePathTest, LinksBehindTwoDotsStay) {
  EXPECT_EQ(WholePath(dir_.File("real/../link/x.png")), root_ / "link/x.png");
}

TEST_F(WholePathTest, HasNoSlashAtItsEnd) {
  for (const char* path : {"real/inner/", "real/./inner/.", "link/", "none/", "link/../", "link/..",
                           "none/../real/"}) {
    EXPECT_TRUE(WholePath(dir_.File(path)).has_filename()) << path;
  }
}

}  // namespace
}  // namespace facegate
