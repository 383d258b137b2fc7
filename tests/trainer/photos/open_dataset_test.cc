#include "trainer/photos/open_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/pack_bytes.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/joined_dataset.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OpenDatasetTest : public ::testing::Test {
 protected:
  OpenDatasetTest() {
    WriteBytes(dir_.File("faces/anna/1.png"), PatternPng(1));
    WriteBytes(dir_.File("faces/zoe/1.png"), PatternPng(2));
    WriteBytes(dir_.File("faces/zoe/2.png"), PatternPng(3));
    WriteBytes(dir_.File("list.txt"), "faces/anna/1.png 0\nfaces/zoe/1.png 1\nfaces/zoe/2.png 1\n");
    const std::string photos[] = {PatternPng(1), PatternPng(2), PatternPng(3)};
    WriteBytes(dir_.File("set"), PackBytes({{.label = 0, .name = "a/1", .image = photos[0]},
                                            {.label = 1, .name = "z/1", .image = photos[1]},
                                            {.label = 1, .name = "z/2", .image = photos[2]}},
                                           {"anna", "zoe"}));
  }
  std::unique_ptr<Dataset> Open(const std::string& name) {
    auto dataset = OpenDataset(dir_.File(name), "");
    EXPECT_THAT(dataset, IsOk());
    return *std::move(dataset);
  }
  static std::vector<uint32_t> Labels(const Dataset& dataset) {
    std::vector<uint32_t> labels;
    for (size_t i = 0; i < dataset.size(); ++i) labels.push_back(dataset.label(i));
    return labels;
  }

  TempDir dir_;
};

TEST_F(OpenDatasetTest, TellsTheThreeFormsApartAndReadsTheSame) {
  const auto folder = Open("faces");
  for (const char* name : {"faces", "faces/", "list.txt", "set"}) {
    const auto dataset = Open(name);
    ASSERT_EQ(dataset->size(), 3u) << name;
    EXPECT_EQ(dataset->classes(), 2u) << name;
    EXPECT_THAT(Labels(*dataset), ElementsAre(0, 1, 1)) << name;
    for (size_t i = 0; i < 3; ++i) {
      const auto expected = folder->Load(i);
      const auto picture = dataset->Load(i);
      ASSERT_TRUE(expected.ok() && picture.ok()) << name;
      EXPECT_EQ(cv::norm(*picture, *expected, cv::NORM_INF), 0.0) << name;
    }
  }
}

TEST_F(OpenDatasetTest, TakesPathsOfAListFromTheRoot) {
  WriteBytes(dir_.File("lists/list.txt"), "anna/1.png a\n");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset,
                                OpenDataset(dir_.File("lists/list.txt"), dir_.File("faces")));
  EXPECT_THAT(dataset->Load(0), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source,
                                OpenPhotoSource(dir_.File("lists/list.txt"), dir_.File("faces")));
  EXPECT_EQ(source->short_name(0), "anna/1.png");
}

TEST_F(OpenDatasetTest, SaysWhatIsNoDataset) {
  EXPECT_THAT(OpenDataset(dir_.File("nothing"), ""), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(OpenDataset("/dev/null", ""), StatusIs(StatusCode::kInvalidArgument));
  const auto picture = OpenDataset(dir_.File("faces/anna/1.png"), "");
  EXPECT_THAT(picture, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(picture.status()), HasSubstr("is a picture, a PNG"));
}

TEST_F(OpenDatasetTest, TellsAListFromAPictureByMoreThanTwoLetters) {
  for (const char* list : {"P2 faces/anna/1.png\n", "P5\tfaces/anna/1.png\n", "P6 1/a.png\n"}) {
    WriteBytes(dir_.File("list"), list);
    EXPECT_EQ(FormatOfDataset(dir_.File("list")).value()->name, kListFormat) << list;
  }
  WriteBytes(dir_.File("map"), "P5\n# by hand\n2 1\n255\nab");
  EXPECT_THAT(MessageOf(FormatOfDataset(dir_.File("map")).status()), HasSubstr("is a picture"));
}

// Data sets of other programs, by their bytes, their names or what lies in the folder.
TEST_F(OpenDatasetTest, NamesDataSetsOfOtherProgramsAndTheWayOut) {
  using namespace std::string_literals;
  WriteBytes(dir_.File("train.idx"), "0\t0\n1\t2884\n");
  WriteBytes(dir_.File("lfw.bin"), "\x80\x03]q\0"s);
  WriteBytes(dir_.File("faces.tgz"), "\x1f\x8b and so on"s);
  WriteBytes(dir_.File("faces.parquet"), "PAR1 and so on");
  WriteBytes(dir_.File("faces.h5"), "\x89HDF\r\n\x1a\n"s);
  WriteBytes(dir_.File("lmdb/data.mdb"), "");
  WriteBytes(dir_.File("lfw/meta/storage"), "{}");
  WriteBytes(dir_.File("agedb/memfile/mem_file.dat"), "");
  WriteBytes(dir_.File("page.txt"), "<!DOCTYPE html><html>");
  const std::pair<const char*, const char*> expected[] = {{"train.idx", "Name the .rec file"},
                                                          {"lfw.bin", "pickle"},
                                                          {"faces.tgz", "Unpack it"},
                                                          {"faces.parquet", "Parquet"},
                                                          {"faces.h5", "HDF5"},
                                                          {"lmdb", "LMDB"},
                                                          {"lfw", "bcolz"},
                                                          {"agedb/memfile", "memfile"},
                                                          {"page.txt", "HTML"}};
  for (const auto& [name, words] : expected) {
    const auto source = OpenPhotoSource(dir_.File(name), "");
    ASSERT_THAT(source, StatusIs(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(MessageOf(source.status()), HasSubstr(words));
  }
}

TEST_F(OpenDatasetTest, MissingPhotosAreKeptRefusedOrLeftOut) {
  WriteBytes(dir_.File("short.txt"),
             "faces/anna/1.png 0\nfaces/bob/1.png 1\nfaces/zoe/1.png 2\nfaces/zoe/9.png 2\n");
  const auto kept = OpenPhotoSource(dir_.File("short.txt"), "");
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ((*kept)->size(), 4u);
  EXPECT_THAT((*kept)->remarks(), ElementsAre(HasSubstr("2 of 4 photos are not there")));
  const auto refused = OpenPhotoSource(dir_.File("short.txt"), "", MissingPhotos::kRefuse);
  ASSERT_THAT(refused, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr("faces/bob/1.png\n  faces/zoe/9.png"));
  const auto skipped = OpenPhotoSource(dir_.File("short.txt"), "", MissingPhotos::kSkip);
  ASSERT_THAT(skipped, IsOk());
  EXPECT_EQ((*skipped)->size(), 2u);
  EXPECT_THAT((*skipped)->classes(), ElementsAre("0", "2"));
  EXPECT_EQ((*skipped)->label(1), 1u);
}

// What is said when a list is opened.
TEST_F(OpenDatasetTest, NamesOfAListCommandNoTerminal) {
  WriteBytes(dir_.File("list.txt"), "faces/anna/1.png 0\nfaces/\x1b[2J.png 1\n");
  const std::string shown = R"(/\x1b[2J.png")";
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto kept, OpenPhotoSource(dir_.File("list.txt"), ""));
  EXPECT_THAT(kept->remarks(), ElementsAre(HasSubstr(shown)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto skipped,
                                OpenPhotoSource(dir_.File("list.txt"), "", MissingPhotos::kSkip));
  EXPECT_THAT(skipped->remarks(), ElementsAre(HasSubstr(shown)));
  const auto refused = OpenPhotoSource(dir_.File("list.txt"), "", MissingPhotos::kRefuse);
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr(shown));
}

TEST_F(OpenDatasetTest, SaysWhyAPhotoOfAnyNameCannotBeRead) {
  WriteBytes(dir_.File("list.txt"), "faces/anna/1.png 0\nfaces/\xb9\xfa.png 1\n");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto source, OpenPhotoSource(dir_.File("list.txt"), ""));
  const auto absent = source->Read(1);
  EXPECT_THAT(absent, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(MessageOf(absent.status()), HasSubstr("faces/\xb9\xfa.png"));
  WriteBytes(dir_.File("faces/\xb9\xfa.png"), "");
  std::filesystem::resize_file(dir_.File("faces/\xb9\xfa.png"), kMaxTrainingPhotoBytes + 1);
  const auto large = source->Read(1);
  EXPECT_THAT(large, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(large.status()), HasSubstr(std::to_string(kMaxTrainingPhotoBytes)));
}

// By it alike reasons are known as such.
TEST_F(OpenDatasetTest, CallsAPhotoThatIsNoneByItsName) {
  WriteBytes(dir_.File("faces/zoe/\xb9\x1b.png"), "no picture");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto dataset, OpenDataset(dir_.File("faces"), ""));
  ASSERT_EQ(dataset->size(), 4u);
  EXPECT_THAT(MessageOf(dataset->Load(3).status()), HasSubstr(dataset->name(3)));
}

// A list kept apart from its photos, read without a root.
TEST_F(OpenDatasetTest, SaysWherePhotosWereLookedForWhenNoneIsThere) {
  WriteBytes(dir_.File("lists/list.txt"), "anna/1.png a\nzoe/1.png z\n");
  const auto source = OpenPhotoSource(dir_.File("lists/list.txt"), "", MissingPhotos::kSkip);
  ASSERT_THAT(source, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(source.status()), HasSubstr("looked for in " + dir_.File("lists")));
}

TEST_F(OpenDatasetTest, JoinedLabelsComeOneAfterTheOther) {
  std::vector<std::unique_ptr<Dataset>> parts;
  parts.push_back(Open("faces"));
  parts.push_back(MakeListDataset({.images = {}, .classes = {"nobody"}}));
  parts.push_back(Open("set"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto joined, JoinDatasets(std::move(parts)));
  EXPECT_EQ(joined->size(), 6u);
  EXPECT_EQ(joined->classes(), 5u);
  EXPECT_THAT(Labels(*joined), ElementsAre(0, 1, 1, 3, 4, 4));
  EXPECT_THAT(joined->name(2), HasSubstr("zoe/2.png"));
  EXPECT_THAT(joined->name(3), HasSubstr("photo 0 (a/1)"));
  const auto first = joined->Load(0);
  const auto again = joined->Load(3);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(cv::norm(*first, *again, cv::NORM_INF), 0.0);
}

TEST_F(OpenDatasetTest, WhatHasNoLabelHasNoneWhenJoined) {
  std::vector<std::unique_ptr<Dataset>> parts;
  parts.push_back(Open("faces"));
  parts.push_back(
      MakeListDataset({.images = {{.path = "x", .label = Dataset::kUnlabelled}}, .classes = {}}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto joined, JoinDatasets(std::move(parts)));
  EXPECT_EQ(joined->label(3), Dataset::kUnlabelled);
  EXPECT_THAT(JoinDatasets({}), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
