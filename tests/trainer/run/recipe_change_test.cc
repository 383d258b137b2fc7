#include "trainer/run/recipe_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Status MayChangeKey(const std::string& key, const std::string& before, const std::string& now) {
  return CheckMayChange("run", {{.key = key, .before = before, .now = now}});
}

TEST(RecipeChangeTest, NamesTheKeysThatDiffer) {
  const auto changes = RecipeChanges("a:\n  x: 1\n  y: 2\n", "a:\n  x: 1\n  y: 3\n  z: 5\n",
                                     "a:\n  x: 9\n  y: 9\n  z: 4\n");
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].key + changes[0].before + changes[0].now, "a.y23");
  EXPECT_EQ(changes[1].key + changes[1].before + changes[1].now, "a.z45");
}

TEST(RecipeChangeTest, TakesATextWithColonsForOneValue) {
  const auto changes = RecipeChanges("a:\n  x: \"b: c\"\n", "a:\n  x: \"b: d\"\n", "");
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].now, "\"b: d\"");
}

// The list was one text in earlier versions, and their runs go on.
TEST(RecipeChangeTest, OneSetOfPairsIsAListOfOne) {
  EXPECT_THAT(RecipeChanges("evaluate:\n  pairs: \"/a/p.txt\"\n",
                            "evaluate:\n  pairs: [\"/a/p.txt\"]\n", ""),
              IsEmpty());
  EXPECT_THAT(RecipeChanges("evaluate:\n  pairs: \"\"\n", "evaluate:\n  pairs: []\n", ""),
              IsEmpty());
}

TEST(RecipeChangeTest, LetsOnlyMoreEpochsPass) {
  EXPECT_THAT(MayChangeKey("schedule.epochs", "5", "8"), IsOk());
  EXPECT_FALSE(MayChangeKey("schedule.epochs", "5", "4").ok());
  EXPECT_FALSE(MayChangeKey("schedule.rate", "0.1", "0.2").ok());
}

TEST(RecipeChangeTest, LetsPhotosMoveButNotComeOrGo) {
  EXPECT_THAT(MayChangeKey("data.root", "\"/a\"", "\"/b\""), IsOk());
  EXPECT_THAT(MayChangeKey("data.train", "[\"/a\"]", "[\"/b\"]"), IsOk());
  EXPECT_THAT(MayChangeKey("teacher.model", "\"a\"", "\"b\""), IsOk());
  EXPECT_THAT(MayChangeKey("network.init", "\"a\"", "\"b\""), IsOk());
  EXPECT_FALSE(MayChangeKey("network.init", "\"\"", "\"b\"").ok());
  EXPECT_FALSE(MayChangeKey("teacher.model", "\"a\"", "\"\"").ok());
  EXPECT_FALSE(MayChangeKey("data.unlabelled", "[]", "[\"/b\"]").ok());
}

TEST(RecipeChangeTest, LetsThreadsChangeAndSaysWhatThatMeans) {
  EXPECT_THAT(MayChangeKey("machine.threads", "2", "4"), IsOk());
  EXPECT_THAT(
      DescribeChanges({{.key = "machine.threads", .before = "2", .now = "4"},
                       {.key = "checkpoint.keep", .before = "2", .now = "9"}}),
      ElementsAre(AllOf(HasSubstr("machine.threads is 4 now; it was 2"), HasSubstr("rounding")),
                  Not(HasSubstr("rounding"))));
}

TEST(RecipeChangeTest, LetsTheDeviceChangeAndSaysWhatThatMeans) {
  for (const char* const key : {"machine.device", "machine.deterministic", "machine.cuda_graph",
                                "machine.compress", "machine.recompute"}) {
    EXPECT_THAT(MayChangeKey(key, "a", "b"), IsOk());
  }
  EXPECT_THAT(
      DescribeChanges({{.key = "machine.device", .before = "\"cpu\"", .now = "\"cuda:0\""}}),
      ElementsAre(AllOf(HasSubstr("machine.device is \"cuda:0\" now"), HasSubstr("rounding"),
                        HasSubstr("leaves out at random is drawn anew"))));
  EXPECT_FALSE(MayChangeKey("network.precision", "\"fp32\"", "\"bf16\"").ok());
}

TEST(RecipeChangeTest, SaysWhatElseRounds) {
  EXPECT_THAT(DescribeChanges({{.key = "machine.recompute", .before = "false", .now = "true"},
                               {.key = "machine.compress", .before = "off", .now = "fp16"}}),
              ::testing::Each(HasSubstr("rounding")));
}

TEST(RecipeChangeTest, TakesBf16ForAPrecision) {
  const std::string defaults = "network:\n  precision: \"fp32\"\n";
  const std::string bf16 = "network:\n  precision: \"bf16\"\n";
  EXPECT_THAT(RecipeChanges("network:\n  bf16: true\n", bf16, defaults), IsEmpty());
  EXPECT_THAT(RecipeChanges("network:\n  bf16: false\n", defaults, defaults), IsEmpty());
  EXPECT_EQ(RecipeChanges("network:\n  bf16: false\n", bf16, defaults).size(), 1u);
}

}  // namespace
}  // namespace facegate
