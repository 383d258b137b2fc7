#include "clients/cli/photo_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/clients/fake_server.h"
#include "tests/support/temp_dir.h"

namespace facegate::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string WhyNot(const std::string& path) {
  const auto why = WhyNotAPhoto(std::filesystem::directory_entry(path));
  return why.has_value() ? why->message : "a photo";
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
  EXPECT_EQ(WhyNot(FileOf(dir, "IMG.jpg", std::string(kHeicStart))), "a photo");
  EXPECT_EQ(WhyNot(FileOf(dir, "IMG.avif", std::string(kAvifStart))), "a photo");
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
  FileOf(dir, "Thumbs.db", kJpegStart);
  std::filesystem::create_directory(dir.File("@eaDir"));
  FileOf(dir, "Thumbs.jpg", kJpegStart);
  const auto folder = ReadPhotoFolder(dir.path(), 0);
  ASSERT_TRUE(folder.ok());
  EXPECT_THAT(folder->photos, SizeIs(1));
  EXPECT_THAT(folder->left_out, IsEmpty());
  EXPECT_EQ(folder->skipped, 2U);
}

}  // namespace
}  // namespace facegate::cli
