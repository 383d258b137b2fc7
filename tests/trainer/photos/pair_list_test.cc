#include "trainer/measure/pair_list.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/pair_file.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

class PairListTest : public ::testing::Test {
 protected:
  StatusOr<PairList> Read(const std::string& text) {
    std::ofstream(dir_.File("pairs"), std::ios::binary) << text;
    return ReadPairList(dir_.File("pairs"));
  }
  void ExpectRefused(const std::string& text, std::string_view words) {
    const auto list = Read(text);
    ASSERT_THAT(list, StatusIs(StatusCode::kInvalidArgument)) << text;
    EXPECT_NE(MessageOf(list.status()).find(words), std::string_view::npos) << list.status();
  }

  TempDir dir_;
};

TEST_F(PairListTest, ReadsLfwsForm) {
  for (const std::string end : {"\n", "\r\n"}) {
    const auto list = Read("2\t1" + end + "Ann_Lee\t1\t12" + end + "Ann_Lee\t2\tBob\t1" + end +
                           "Cy\t1\t2" + end + "Cy\t1\tAnn_Lee\t3" + end);
    ASSERT_THAT(list, IsOk());
    EXPECT_EQ(list->folds, 2u);
    ASSERT_EQ(list->pairs.size(), 4u);
    EXPECT_EQ(list->pairs[0],
              (FacePair{"Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0012.jpg", true}));
    EXPECT_EQ(list->pairs[1], (FacePair{"Ann_Lee/Ann_Lee_0002.jpg", "Bob/Bob_0001.jpg", false}));
  }
}

TEST_F(PairListTest, ReadsLabelledPairs) {
  for (const std::string text :
       {"a/1.jpg b/2.jpg 0\na/1.jpg a/3.jpg 1\n", "a/1.jpg,b/2.jpg,0\na/1.jpg,a/3.jpg,1"}) {
    const auto list = Read(text);
    ASSERT_THAT(list, IsOk());
    EXPECT_EQ(list->folds, 2u);
    EXPECT_THAT(list->pairs, ::testing::ElementsAre(FacePair{"a/1.jpg", "b/2.jpg", false},
                                                    FacePair{"a/1.jpg", "a/3.jpg", true}));
  }
  const auto blanks = Read("my photos/1.jpg\tb.jpg\t1\n");
  ASSERT_THAT(blanks, IsOk());
  EXPECT_EQ(blanks->pairs[0].first, "my photos/1.jpg");
}

TEST_F(PairListTest, NamesTheLineThatIsWrong) {
  ExpectRefused("a b 0\na b\n", "line 2: expected PHOTO PHOTO");
  ExpectRefused("a b 2\n", "line 1");
  ExpectRefused("1\t1\nAnn\t1\tx\nAnn\t1\tBob\t1\n", "line 2: expected NAME I J");
  ExpectRefused("1\t2\nAnn\t1\t2\nAnn\t1\tBob\t1\n", "announces 4 pairs and has 2");
  ExpectRefused("", "no pairs");
}

class PairDialectTest : public PairListTest {
 protected:
  void ExpectLfw(const std::string& text, size_t folds = 2) {
    const auto list = Read(text);
    ASSERT_THAT(list, IsOk()) << text;
    EXPECT_EQ(list->folds, folds) << text;
    EXPECT_THAT(list->pairs,
                ::testing::ElementsAre(FacePair{"p1/p1_0001.jpg", "p1/p1_0002.jpg", true},
                                       FacePair{"p1/p1_0001.jpg", "p2/p2_0003.jpg", false}))
        << text;
  }
  void ExpectLabelled(const std::string& text) {
    const auto list = Read(text);
    ASSERT_THAT(list, IsOk()) << text;
    EXPECT_THAT(list->pairs, ::testing::ElementsAre(FacePair{"a/1.jpg", "a/2.jpg", true},
                                                    FacePair{"a/1.jpg", "b/2.jpg", false}))
        << text;
  }
};

TEST_F(PairDialectTest, ReadsLfwsRowsWithAnyFirstLine) {
  const std::string rows = "p1\t1\t2\np1\t1\tp2\t3\n";
  ExpectLfw(rows);
  ExpectLfw("1\n" + rows);
  ExpectLfw("2\n" + rows);
  ExpectLfw("1\t1\n" + rows, 1);
  ExpectLfw(
      "\xef\xbb\xbf"
      "1 1\r\np1 1 2\r\np1 1 p2 3\r\n",
      1);
}

TEST_F(PairDialectTest, ReadsKagglesFiles) {
  ExpectLfw("name,imagenum1,imagenum2,\np1,1,2,\np1,1,p2,3\n");
  const auto matched = Read("name,imagenum1,imagenum2\np1,1,2\np2,1,4\n");
  ASSERT_THAT(matched, IsOk());
  EXPECT_EQ(matched->pairs.size(), 2u);
  const auto mismatched = Read("name,imagenum1,name,imagenum2\np1,1,p2,4\n");
  ASSERT_THAT(mismatched, IsOk());
  EXPECT_FALSE(mismatched->pairs[0].same);
}

TEST_F(PairDialectTest, TenFoldsOrAsManyAsPairs) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += "a b 1\n";
  EXPECT_EQ(Read(text)->folds, 10u);
  EXPECT_EQ(Read("a b 1\na c 0\nb c 0\n")->folds, 3u);
}

TEST_F(PairDialectTest, JoinsMatchedAndMismatchedPairs) {
  std::ofstream(dir_.File("match")) << "name,imagenum1,imagenum2\np1,1,2\n";
  std::ofstream(dir_.File("mismatch")) << "name,imagenum1,name,imagenum2\np1,1,p2,3\n";
  const auto list = ReadPairLists({dir_.File("match"), dir_.File("mismatch")});
  ASSERT_THAT(list, IsOk());
  EXPECT_EQ(list->pairs.size(), 2u);
}

// As if both kinds had been in one file: a fold of one kind alone says nothing of a threshold.
TEST_F(PairDialectTest, EachFoldOfJoinedListsHasBothKinds) {
  std::string same;
  std::string other;
  for (int i = 0; i < 20; ++i) {
    same += fmt::format("a{0} b{0} 1\n", i);
    other += fmt::format("a{0} c{0} 0\n", i);
  }
  std::ofstream(dir_.File("same")) << same;
  std::ofstream(dir_.File("other")) << other;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairList list,
                                ReadPairLists({dir_.File("same"), dir_.File("other")}));
  ASSERT_EQ(list.pairs.size(), 40U);
  ASSERT_EQ(list.folds, 10U);
  for (size_t fold = 0; fold < list.folds; ++fold) {
    const auto begin = list.pairs.begin() + static_cast<std::ptrdiff_t>(4 * fold);
    EXPECT_EQ(std::count_if(begin, begin + 4, [](const FacePair& pair) { return pair.same; }), 2)
        << fold;
  }
}

TEST_F(PairDialectTest, ReadsLabelsInOtherWordsAndPlaces) {
  ExpectLabelled("a/1.jpg a/2.jpg 1\na/1.jpg b/2.jpg -1\n");
  ExpectLabelled("a/1.jpg,a/2.jpg,True\na/1.jpg,b/2.jpg,False\n");
  ExpectLabelled("1 a/1.jpg a/2.jpg\n0 a/1.jpg b/2.jpg\n");
  ExpectLabelled("file1,file2,same\na/1.jpg,a/2.jpg,1\na/1.jpg,b/2.jpg,0\n");
  ExpectLabelled(",label,img1,img2,fold\n0,1,a/1.jpg,a/2.jpg,1\n1,0,a/1.jpg,b/2.jpg,1\n");
  ExpectLabelled("a\\1.jpg;a\\2.jpg;1\na\\1.jpg;b\\2.jpg;0\n");
}

TEST_F(PairDialectTest, ABadFirstLineIsNoHeader) {
  ExpectRefused("a/1.jpg b/1.jpg 2\na/1.jpg b/2.jpg 0\n", "line 1");
  ExpectRefused("my a.jpg b.jpg 1\nmy a.jpg c.jpg 0\n", "need tabs or commas");
}

TEST_F(PairDialectTest, FindsMissingPhotosAndLeavesTheirPairsOut) {
  auto list = Read("a b 1\na c 0\nb c 0\n");
  ASSERT_THAT(list, IsOk());
  const MissingPairPhotos missing =
      FindMissing(*list, [](const std::string& name) { return name != "c"; });
  EXPECT_THAT(missing.photos, ::testing::ElementsAre("c"));
  EXPECT_EQ(missing.names, 3u);
  EXPECT_EQ(missing.pairs, 2u);
  LeaveOutPairs(missing.photos, *list);
  EXPECT_THAT(list->pairs, ::testing::ElementsAre(FacePair{"a", "b", true}));
}

TEST_F(PairDialectTest, HasNeverMoreFoldsThanPairs) {
  std::string text;
  for (int i = 0; i < 12; ++i) text += (i < 3 ? "a b " : "a c ") + std::to_string(i % 2) + "\n";
  auto list = Read(text);
  ASSERT_THAT(list, IsOk());
  LeaveOutPairs({"c"}, *list);
  EXPECT_EQ(list->folds, 3u);
  EXPECT_THAT(CheckMeasurable(*list), IsOk());
  std::ofstream(dir_.File("one")) << "a b 1\n";
  std::ofstream(dir_.File("other")) << "a c 0\nb c 0\n";
  EXPECT_EQ(ReadPairLists({dir_.File("one"), dir_.File("other")})->folds, 3u);
}

TEST_F(PairDialectTest, SaysWhereNoFiguresCanBeMade) {
  EXPECT_THAT(CheckMeasurable(*Read("a b 1\n")).ToString(), HasSubstr("1 pair is in 2 folds"));
  EXPECT_THAT(CheckMeasurable(*Read("a b 1\na c 1\n")).ToString(), HasSubstr("of one person"));
  EXPECT_THAT(CheckMeasurable(*Read("a b 0\na c 0\n")).ToString(), HasSubstr("of two people"));
}

TEST_F(PairDialectTest, TakesTheColumnOfTheWholeNameAndSaysSo) {
  for (const char* name : {"label", "is_same", "Y"}) {
    const std::string text = "file1,file2," + std::string(name) + ",same_gender\n" +
                             "a/1.jpg,a/2.jpg,1,0\na/1.jpg,b/2.jpg,0,1\n";
    ExpectLabelled(text);
    EXPECT_THAT(Read(text)->remarks, ::testing::ElementsAre(HasSubstr(name)));
  }
}

TEST_F(PairListTest, SaysWhatASetOfAnotherProgramIs) {
  ExpectRefused(std::string("\x80\x03]q\0", 5), "InsightFace's .bin");
  ExpectRefused(std::string("PK\x03\x04\0\0\0\0", 8), "Unpack it");
}

}  // namespace
}  // namespace facegate
