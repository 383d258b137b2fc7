#include "clients/cli/photo_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/clients/fake_server.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string WhyNot(const std::string& path) {
  return WhyNotAPhoto(std::filesystem::directory_entry(path)).value_or("a photo");
}

std::string FileOf(const TempDir& dir, const std::string& name, const std::string& content) {
  std::ofstream(dir.File(name), std::ios::binary) << content;
  return dir.File(name);
}

TEST(PhotoFolderTest, TellsPhotosByTheirContent) {
  const TempDir dir;
  EXPECT_EQ(WhyNot(FileOf(dir, "a.jfif", kJpegStart)), "a photo");
  EXPECT_EQ(WhyNot(FileOf(dir, "b", "\x89PNG\r\n\x1a\n")), "a photo");
  EXPECT_EQ(WhyNot(FileOf(dir, "c.heic", kJpegStart)), "a photo");  // renamed, not converted
  EXPECT_THAT(WhyNot(FileOf(dir, "d.jpg", "GIF89a")), HasSubstr("GIF"));
  EXPECT_THAT(WhyNot(FileOf(dir, "e.jpg", "<html>not found</html>")), HasSubstr("HTML"));
  EXPECT_THAT(WhyNot(FileOf(dir, "f.jpg", "")), HasSubstr("empty"));
}

TEST(PhotoFolderTest, OpensNothingThatIsNotAFile) {
  const TempDir dir;
  ASSERT_EQ(::mkfifo(dir.File("pipe.jpg").c_str(), 0600), 0);
  std::filesystem::create_symlink("nowhere", dir.File("link.jpg"));
  std::filesystem::create_directory(dir.File("more"));
  EXPECT_THAT(WhyNot(dir.File("pipe.jpg")), HasSubstr("not a regular file"));
  EXPECT_THAT(WhyNot(dir.File("link.jpg")), HasSubstr("link to nothing"));
  EXPECT_THAT(WhyNot(dir.File("more")), HasSubstr("is a folder"));
}

TEST(PhotoFolderTest, SaysThatAFileCannotBeRead) {
  const TempDir dir;
  std::filesystem::create_symlink("a.jpg", dir.File("a.jpg"));
  EXPECT_THAT(WhyNot(dir.File("a.jpg")), HasSubstr("cannot be read: Too many levels"));
}

TEST(PhotoFolderTest, SkipsWhatSystemsLeaveBehind) {
  const TempDir dir;
  const std::string names[] = {"Thumbs.db", "thumbs.DB",  "desktop.ini", ".DS_Store",
                               "._a.jpg",   "Picasa.ini", "Icon\r",      ".hidden.jpg"};
  for (const std::string& name : names) FileOf(dir, name, kJpegStart);
  for (const char* name : {"@eaDir", "__MACOSX", "#recycle", "lost+found"}) {
    std::filesystem::create_directory(dir.File(name));
  }
  FileOf(dir, "Thumbs.jpg", kJpegStart);
  const auto folder = ReadPhotoFolder(dir.path(), 0);
  ASSERT_TRUE(folder.ok());
  EXPECT_THAT(folder->photos, SizeIs(1));
  EXPECT_THAT(folder->left_out, IsEmpty());
  EXPECT_EQ(folder->skipped, std::size(names) + 4);
}

}  // namespace
}  // namespace facegate
