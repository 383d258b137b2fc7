#include "trainer/data/image_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

class ImageListTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = dir_.File(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  StatusOr<ImageList> List(const std::string& text) {
    Write("list", text);
    return ReadImageList(dir_.File("list"), "/root");
  }
  static std::vector<std::string> Lines(const ImageList& list) {
    std::vector<std::string> lines;
    for (const LabelledImage& image : list.images) {
      lines.push_back(image.path + " " + std::to_string(image.label));
    }
    return lines;
  }

  TempDir dir_;
};

TEST_F(ImageListTest, ReadsFoldersInTheOrderOfNames) {
  Write("faces/zoe/b.JPG", "");
  Write("faces/zoe/a.png", "");
  Write("faces/anna/1.webp", "");
  Write("faces/anna/notes.txt", "");
  Write("faces/empty/notes.txt", "");
  Write("faces/stray.jpg", "");
  const auto list = ReadImageFolder(dir_.File("faces"));
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(list->classes, ElementsAre("anna", "zoe"));
  EXPECT_THAT(Lines(*list), ElementsAre(dir_.File("faces/anna/1.webp") + " 0",
                                        dir_.File("faces/zoe/a.png") + " 1",
                                        dir_.File("faces/zoe/b.JPG") + " 1"));
}

TEST_F(ImageListTest, RefusesFoldersWithoutPictures) {
  Write("faces/anna/notes.txt", "");
  EXPECT_THAT(ReadImageFolder(dir_.File("faces")), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ReadImageFolder(dir_.File("nowhere")), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(ImageListTest, ReadsPathAndLabel) {
  const auto list = List("a b/c.jpg 7\r\n/abs/d.jpg\t3\n\ne.jpg 10\n");
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(list->classes, ElementsAre("3", "7", "10"));
  EXPECT_THAT(Lines(*list), ElementsAre("/root/a b/c.jpg 1", "/abs/d.jpg 0", "/root/e.jpg 2"));
}

// The seed's own reader cuts the path at its first blank.
TEST_F(ImageListTest, ReadsLabelSemicolonPathWithBlanks) {
  const auto list = List("1;/x/my photos/a.jpg\n0;b.jpg\n");
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(Lines(*list), ElementsAre("/x/my photos/a.jpg 1", "/root/b.jpg 0"));
}

TEST_F(ImageListTest, ReadsCsvWithAndWithoutNames) {
  const auto named = List("identity,score,Path\nanna,0.5,a.jpg\nzoe,0.7,b.jpg\n");
  ASSERT_THAT(named, IsOk());
  EXPECT_THAT(named->classes, ElementsAre("anna", "zoe"));
  EXPECT_THAT(Lines(*named), ElementsAre("/root/a.jpg 0", "/root/b.jpg 1"));
  const auto plain = List("a.jpg,5\nb.jpg,4\n");
  ASSERT_THAT(plain, IsOk());
  EXPECT_THAT(Lines(*plain), ElementsAre("/root/a.jpg 1", "/root/b.jpg 0"));
}

// CelebA counts from 1, which other code answers with a class too many.
TEST_F(ImageListTest, MakesLabelsDense) {
  const auto list = List("000001.jpg 2880\n000002.jpg 1\n000003.jpg 2880\n");
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(list->classes, ElementsAre("1", "2880"));
  EXPECT_THAT(Lines(*list),
              ElementsAre("/root/000001.jpg 1", "/root/000002.jpg 0", "/root/000003.jpg 1"));
}

TEST_F(ImageListTest, NamesTheLineThatIsWrong) {
  for (const char* text : {"a.jpg 1\nb.jpg\n", "1;a.jpg\nb.jpg\n", "a.jpg,1\nb.jpg\n"}) {
    const auto list = List(text);
    ASSERT_THAT(list, StatusIs(StatusCode::kInvalidArgument)) << text;
    EXPECT_NE(MessageOf(list.status()).find("line 2"), std::string_view::npos) << text;
  }
  EXPECT_THAT(List(""), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(List("path,label\n"), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
