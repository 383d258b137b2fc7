#include "trainer/photos/dataset_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/pair_set_files.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(DatasetFormatTest, EachFormatHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const DatasetFormat& format : DatasetFormats()) {
    EXPECT_FALSE(format.name.empty());
    EXPECT_TRUE(names.insert(format.name).second) << format.name;
  }
}

TEST(DatasetFormatTest, EachFormatOpensOrKnowsTheWayOut) {
  for (const DatasetFormat& format : DatasetFormats()) {
    EXPECT_NE(format.open == nullptr, format.way_out.empty()) << format.name;
  }
}

// A list has no mark of its own: it takes what no other format knows.
TEST(DatasetFormatTest, TextIsAListOnlyWhereNoOtherFormatKnowsIt) {
  EXPECT_EQ(DatasetFormats().back().name, kListFormat);
  const DatasetCandidate text{.path = "any", .start = "anna/1.png 0\n"};
  for (const DatasetFormat& format : DatasetFormats()) {
    EXPECT_EQ(format.sniff(text).has_value(), format.name == kListFormat) << format.name;
  }
}

TEST(DatasetFormatTest, AFolderWithPhotosIsReadWhateverElseLiesThere) {
  const TempDir dir;
  WriteBytes(dir.File("faces/anna/1.png"), PatternPng(1));
  WriteBytes(dir.File("faces/train.rec"), "");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const DatasetFormat* const format,
                                FormatOfDataset(dir.File("faces")));
  EXPECT_EQ(format->name, kFolderFormat);
  EXPECT_THAT(format->open(dir.File("faces"), "", MissingPhotos::kKeep), IsOk());
}

TEST(DatasetFormatTest, GivesAdviceOnlyOnWhatIsNotRead) {
  const TempDir dir;
  WriteBytes(dir.File("list.txt"), "anna/1.png 0\n");
  WriteBytes(dir.File("lmdb/data.mdb"), "");
  EXPECT_EQ(ForeignDatasetAdvice(dir.File("list.txt")), std::nullopt);
  EXPECT_EQ(ForeignDatasetAdvice(dir.File("absent")), std::nullopt);
  EXPECT_THAT(ForeignDatasetAdvice(dir.File("lmdb")).value_or(""),
              HasSubstr("is an LMDB database. Write its pictures"));
}

// Whatever the table of sets of pairs knows.
TEST(DatasetFormatTest, SaysWhatSetsOfPairsAreFor) {
  const TempDir dir;
  const TestPairs pairs = MakeTestPairs(1);
  WriteMemfilePairs(dir.File("mem/lfw"), pairs);
  WriteBcolzPairs(dir.File("bcolz/lfw"), pairs, 1);
  WriteBytes(dir.File("lfw.bin"), PairPickle(pairs));
  for (const char* const path :
       {"mem", "mem/lfw", "mem/lfw/memfile", "mem/lfw/memfile/mem_file.dat",
        "mem/lfw/memfile/mem_file.dat.conf", "bcolz", "bcolz/lfw", "lfw.bin"}) {
    EXPECT_THAT(ForeignDatasetAdvice(dir.File(path)).value_or(""),
                HasSubstr("Sets of pairs are evaluated with"))
        << path;
  }
}

}  // namespace
}  // namespace facegate
