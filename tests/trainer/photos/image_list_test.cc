#include "trainer/photos/image_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "face/base/file.h"
#include "face/image/heif_library.h"
#include "tests/support/pattern_image.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/photo_source.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

// CASIA's list of photos with their folders, as a seed of this project writes it.
TEST_F(ImageListTest, LeavesOutRowsOfACsvWithoutAPath) {
  const auto list =
      List(",img_path,dir_name,label\n0,a/1.jpg,a,0\n1,,a,0\n2,b/1.jpg,b,1\n3,\"\",b,1\n");
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(Lines(*list), ElementsAre("/root/a/1.jpg 0", "/root/b/1.jpg 1"));
  ASSERT_EQ(list->remarks.size(), 2u);
  EXPECT_THAT(list->remarks[1], HasSubstr("left out: 2 lines without a path"));
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

class ListDialectTest : public ImageListTest {
 protected:
  ListDialectTest() {
    for (const char* name : {"id0/000.png", "id0/001.png", "id1/000.png"}) Write(name, "");
  }
  // The list's photos that are there, as "NAME LABEL".
  std::vector<std::string> Read(const std::string& text) {
    Write("list", text);
    const auto list = ReadImageList(dir_.File("list"), dir_.path().string());
    EXPECT_THAT(list, IsOk()) << text;
    std::vector<std::string> lines;
    if (!list.ok()) return lines;
    EXPECT_EQ(list->missing.size(), 0u) << text;
    for (const LabelledImage& image : list->images) {
      lines.push_back(image.path.substr(dir_.path().string().size() + 1) + " " +
                      list->classes[image.label]);
    }
    return lines;
  }
  static auto Photos() { return ElementsAre("id0/000.png 0", "id0/001.png 0", "id1/000.png 1"); }
};

TEST_F(ListDialectTest, DropsTheByteOrderMarkAndTakesAnyLineEnds) {
  EXPECT_THAT(Read("\xef\xbb\xbfid0/000.png,0\r\nid0/001.png,0\r\nid1/000.png,1\r\n"), Photos());
  EXPECT_THAT(Read("id0/000.png 0\rid0/001.png 0\rid1/000.png 1\r"), Photos());
}

TEST_F(ListDialectTest, RefusesUtf16ByName) {
  using namespace std::string_literals;
  for (const std::string& text :
       {"\xff\xfei\0d\0\n\0"s, "\xfe\xff\0i\0d\0\n"s, "i\0d\0 \0001\0"s}) {
    const auto list = List(text);
    ASSERT_THAT(list, StatusIs(StatusCode::kInvalidArgument));
    EXPECT_NE(MessageOf(list.status()).find("UTF-16"), std::string_view::npos) << list.status();
  }
}

TEST_F(ListDialectTest, FindsHeadersWhateverTheColumnsAreCalled) {
  const std::string rows = "id0/000.png,0\nid0/001.png,0\nid1/000.png,1\n";
  for (const char* header : {"path,label", "filename,identity_name", "img_path,dir_name",
                             "Image,Person", "bild,wer", "image_id,class"}) {
    EXPECT_THAT(Read(header + ("\n" + rows)), Photos()) << header;
  }
  EXPECT_THAT(Read(",img_path,width,label\n0,id0/000.png,112,0\n1,id0/001.png,112,0\n"
                   "2,id1/000.png,112,1\n"),
              Photos());
}

TEST_F(ListDialectTest, TakesColumnsByWholeWordsOfTheirNames) {
  const auto read = [&](const std::string& header, const std::string& before) {
    return Read(
        fmt::format("path,{0}\nid0/000.png,{1}1,0\nid0/001.png,{1}2,0\n"
                    "id1/000.png,{1}3,1\n",
                    header, before));
  };
  EXPECT_THAT(read("width,height,id", "112,"), Photos());
  EXPECT_THAT(read("filename,id", ""), Photos());
  EXPECT_THAT(read("video,personName", ""), Photos());
  EXPECT_THAT(read("label_confidence,name", ""), Photos());
  EXPECT_THAT(read("id,celebrity", ""), Photos());
  EXPECT_THAT(read("valid,image_label", ""), Photos());
}

TEST_F(ListDialectTest, ANamedColumnOfPhotosComesBeforeOneThatHasMoreOfThem) {
  EXPECT_THAT(Read("origin,path,label\nid0/000.png,id0/000.png,0\nid1/000.png,,0\n"
                   "id0/001.png,id0/001.png,0\nid1/000.png,id1/000.png,1\n"),
              Photos());
}

TEST_F(ListDialectTest, TakesNumbersBehindTheLabelForColumns) {
  EXPECT_THAT(Read("id0/000.png 0 0.91\nid0/001.png 0 0.92\nid1/000.png 1 0.93\n"), Photos());
  EXPECT_THAT(Read("id0/000.png 0 train x\nid0/001.png 0 test y\nid1/000.png 1 test z\n"),
              Photos());
  EXPECT_THAT(Read("path label score\nid0/000.png 0 1\nid0/001.png 0 2\nid1/000.png 1 3\n"),
              Photos());
  EXPECT_THAT(Read("id0/000.png ann 3\nid0/001.png ann 4\nid1/000.png bob 5\n"),
              ElementsAre("id0/000.png ann", "id0/001.png ann", "id1/000.png bob"));
  EXPECT_THAT(ReadImageList(dir_.File("list"), "")->remarks, ElementsAre(HasSubstr("3 fields")));
  EXPECT_THAT(Read("id0/000.png Ann Lee\nid0/001.png Ann Lee\nid1/000.png Ann Doe\n"),
              ElementsAre("id0/000.png Ann Lee", "id0/001.png Ann Lee", "id1/000.png Ann Doe"));
  EXPECT_THAT(Read("id0/000.png person 1\nid0/001.png person 1\nid1/000.png person 2\n"),
              ElementsAre("id0/000.png person 1", "id0/001.png person 1", "id1/000.png person 2"));
}

TEST_F(ListDialectTest, APhotoWithoutItsEndingIsNoHeader) {
  EXPECT_THAT(Read("id0/000 0\nid0/001.png 0\nid1/000.png 1\n"), Photos());
  Write("crop_ann.png", "");
  EXPECT_THAT(Read("crop_ann,person\nid0/001.png,person\n"),
              ElementsAre("crop_ann.png person", "id0/001.png person"));
  Write("image.png", "");
  EXPECT_THAT(Read("image,label\nid0/001.png,ann\n"), ElementsAre("id0/001.png ann"));
}

TEST_F(ListDialectTest, ReadsQuotedFields) {
  Write("a, b/0 \"x\".png", "");
  Write("new\nline.png", "");
  EXPECT_THAT(Read("\"a, b/0 \"\"x\"\".png\",0\n\"new\nline.png\",\"1\"\n"),
              ElementsAre("a, b/0 \"x\".png 0", "new\nline.png 1"));
  EXPECT_THAT(Read("\"id0/000.png\";\"0\"\nid0/001.png;0\nid1/000.png;1\n"), Photos());
  const auto open = List("a.jpg,1\n\"b.jpg,2\n");
  ASSERT_THAT(open, StatusIs(StatusCode::kInvalidArgument));
}

// A comma in the first path must not make the list a CSV.
TEST_F(ListDialectTest, DecidesTheSeparatorByAllLines) {
  const auto semicolons = List("0;/x/Smith, John/1.jpg\n1;/x/Lee, Ann/1.jpg\n");
  ASSERT_THAT(semicolons, IsOk());
  EXPECT_THAT(Lines(*semicolons), ElementsAre("/x/Smith, John/1.jpg 0", "/x/Lee, Ann/1.jpg 1"));
  const auto blanks = List("Smith, John/1.jpg 0\nLee; Ann/1.jpg 1\n");
  ASSERT_THAT(blanks, IsOk());
  EXPECT_THAT(Lines(*blanks), ElementsAre("/root/Smith, John/1.jpg 0", "/root/Lee; Ann/1.jpg 1"));
  EXPECT_THAT(Read("0\tid0/000.png\n0\tid0/001.png\n1\tid1/000.png\n"), Photos());
  EXPECT_THAT(Read("0 id0/000.png\n0 id0/001.png\n1 id1/000.png\n"), Photos());
  // The .lst of MXNet: a number, the label, the path.
  EXPECT_THAT(Read("7\t0\tid0/000.png\n8\t0\tid0/001.png\n9\t1\tid1/000.png\n"), Photos());
}

TEST_F(ListDialectTest, FindsPhotosByWindowsPathsAndOtherEndings) {
  EXPECT_THAT(Read("id0\\000.png 0\nid0\\001.png 0\nid1\\000.png 1\n"), Photos());
  EXPECT_THAT(Read("id0/000.jpg 0\nid0/001.JPEG 0\nid1/000 1\n"), Photos());
  Write("id2/a.JPeG", "");
  EXPECT_THAT(Read("id2/a.png 2\n"), ElementsAre("id2/a.JPeG 2"));
}

TEST_F(ListDialectTest, SaysThatDriveLettersAreOfAnotherMachine) {
  Write("list", "C:\\photos\\1.jpg 0\nC:\\photos\\2.jpg 1\n");
  const auto list = OpenPhotoSource(dir_.File("list"), "");
  ASSERT_THAT(list, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_NE(MessageOf(list.status()).find("drive letter"), std::string_view::npos);
}

class FolderReadingTest : public ImageListTest {};

TEST_F(FolderReadingTest, TakesPhotosByTheirBytes) {
  const std::string png = PatternPng(1);
  Write("faces/anna/photo", png);
  Write("faces/anna/1.JFIF", png);
  Write("faces/anna/2.dat", png);
  Write("faces/anna/notes.txt", "no photo");
  Write("faces/anna/IMG.GIF", "GIF89a");
  const auto list = ReadImageFolder(dir_.File("faces"));
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->images.size(), 3u);
  EXPECT_THAT(
      list->remarks,
      ElementsAre(
          HasSubstr("GIF, which is not read; convert them to JPEG or PNG (1: anna/IMG.GIF)"),
          HasSubstr("not photos by their first bytes (1: anna/notes.txt)")));
}

TEST_F(FolderReadingTest, TakesHeicAndAvifWhereLibheifIsInstalled) {
  for (const char* name : {"heic", "avif"}) {
    const auto bytes =
        ReadFile(std::string(FACEGATE_SOURCE_DIR) + "/tests/fuzz/corpus/heif/" + name, 1 << 20);
    ASSERT_THAT(bytes, IsOk());
    Write(std::string("faces/anna/1.") + name, *bytes);
  }
  Write("faces/anna/2.png", PatternPng(1));
  const auto list = ReadImageFolder(dir_.File("faces"));
  ASSERT_THAT(list, IsOk());
  if (!OpenHeifLibrary().ok()) {
    EXPECT_EQ(list->images.size(), 1u);
    EXPECT_THAT(list->remarks, ElementsAre(HasSubstr("AVIF, which is not read without libheif"),
                                           HasSubstr("HEIC, which is not read without libheif")));
    return;
  }
  EXPECT_THAT(list->remarks, IsEmpty());
  ASSERT_EQ(list->images.size(), 3u);
  const auto photos = MakeDecodedDataset(MakeListSource(*list, dir_.File("faces")));
  for (size_t i = 0; i < photos->size(); ++i) EXPECT_THAT(photos->Load(i), IsOk());
}

TEST_F(FolderReadingTest, SkipsHiddenNamesAndThoseOfSystemsWithACount) {
  const std::string png = PatternPng(1);
  Write("faces/anna/1.png", png);
  for (const char* hidden :
       {".ipynb_checkpoints/1.png", "anna/._1.png", "anna/.DS_Store", "anna/Thumbs.db",
        "@eaDir/1.png", "__MACOSX/1.png", "$RECYCLE.BIN/1.png", "anna/.ipynb_checkpoints/1.png"}) {
    Write(std::string("faces/") + hidden, png);
  }
  const auto list = ReadImageFolder(dir_.File("faces"));
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(list->classes, ElementsAre("anna"));
  EXPECT_EQ(list->images.size(), 1u);
  EXPECT_THAT(
      list->remarks,
      ElementsAre(HasSubstr("hidden files and folders, and those of the operating system (8,")));
}

TEST_F(FolderReadingTest, CountsPhotosThatLieElsewhere) {
  Write("faces/anna/1.png", "");
  Write("faces/stray.png", "");
  Write("faces/anna/2019/1.png", "");
  const auto list = ReadImageFolder(dir_.File("faces"));
  ASSERT_THAT(list, IsOk());
  EXPECT_THAT(list->remarks,
              ElementsAre(HasSubstr("folders within the folder of an identity (1: anna/2019)"),
                          HasSubstr("photos beside the folders of identities (1: stray.png)")));
}

}  // namespace
}  // namespace facegate
