#include "trainer/eval/pair_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

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
    EXPECT_EQ(list->folds, 10u);
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

}  // namespace
}  // namespace facegate
