#include "face/base/did_you_mean.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(DidYouMeanTest, CountsInsertedDeletedReplacedAndSwappedLetters) {
  EXPECT_EQ(EditDistance("enroll", "enroll"), 0U);
  EXPECT_EQ(EditDistance("enrol", "enroll"), 1U);
  EXPECT_EQ(EditDistance("imoprt", "import"), 1U);
  EXPECT_EQ(EditDistance("", "eval"), 4U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
}

TEST(DidYouMeanTest, FindsTheNearestNameOrNone) {
  const std::vector<std::string> names = {"import", "inspect", "eval",
                                          "embed",  "fit",     "fit-landmarks"};
  EXPECT_EQ(DidYouMean("improt", names), "import");
  EXPECT_EQ(DidYouMean("evaluate", names), "");
  EXPECT_EQ(DidYouMean("insp", names), "inspect");
  EXPECT_EQ(DidYouMean("evla", names), "eval");
  EXPECT_EQ(DidYouMean("dance", names), "");
  EXPECT_EQ(DidYouMean("", names), "");
}

}  // namespace
}  // namespace facegate
