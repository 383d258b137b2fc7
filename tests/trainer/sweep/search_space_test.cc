#include "trainer/sweep/search_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(const std::string& text) {
  const auto tried = ParseTry(text);
  EXPECT_EQ(FieldOf(tried.status()), "--try") << text;
  return std::string(MessageOf(tried.status()));
}

std::vector<std::string> ValuesOf(const std::string& text) {
  const auto tried = ParseTry(text);
  EXPECT_THAT(tried, IsOk());
  std::vector<std::string> values;
  if (!tried.ok()) return values;
  for (size_t i = 0; i < tried->size(); ++i) values.push_back(tried->Value(i));
  return values;
}

TEST(SearchSpaceTest, ReadsListsOfAnyKind) {
  EXPECT_THAT(ValuesOf("head.margin=0.3, 0.4,0.5"), ElementsAre("0.3", "0.4", "0.5"));
  EXPECT_THAT(ValuesOf("head.kind=arcface,cosface"), ElementsAre("arcface", "cosface"));
  EXPECT_THAT(ValuesOf("data.balanced=true,false"), ElementsAre("true", "false"));
  EXPECT_THAT(ValuesOf("schedule.milestones=[8,14],[10,16]"), ElementsAre("[8,14]", "[10,16]"));
  EXPECT_THAT(ValuesOf("card.origin=\"here, there\",nowhere"),
              ElementsAre("\"here, there\"", "nowhere"));
}

TEST(SearchSpaceTest, TextsMayHaveDots) {
  EXPECT_THAT(ValuesOf("data.leave_out=../bad.txt,../worse.txt"),
              ElementsAre("../bad.txt", "../worse.txt"));
}

TEST(SearchSpaceTest, PointsOfARangeHaveBothEnds) {
  EXPECT_THAT(ValuesOf("schedule.rate=0.001..0.1:log:3"), ElementsAre("0.001", "0.01", "0.1"));
  EXPECT_THAT(ValuesOf("head.margin=0.2..0.6:5"), ElementsAre("0.2", "0.3", "0.4", "0.5", "0.6"));
  EXPECT_THAT(ValuesOf("data.batch=8..128:log:5"), ElementsAre("8", "16", "32", "64", "128"));
}

TEST(SearchSpaceTest, WholeNumbersNeedNoPoints) {
  EXPECT_THAT(ValuesOf("head.sub_centers=1..3"), ElementsAre("1", "2", "3"));
}

TEST(SearchSpaceTest, DrawsStayInTheRangeAndReachItsParts) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TriedKey rate, ParseTry("schedule.rate=0.01..1:log"));
  int low = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    RandomStream random(7, i);
    const double value = std::stod(rate.Draw(random));
    EXPECT_GE(value, 0.01);
    EXPECT_LE(value, 1.0);
    low += value < 0.1 ? 1 : 0;
  }
  EXPECT_NEAR(low, 200, 50) << "half of the draws lie in the lower decade";
}

TEST(SearchSpaceTest, WholeNumbersStayWholeAndAreAllDrawn) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TriedKey centres, ParseTry("head.sub_centers=1..4:log"));
  std::set<std::string> drawn;
  for (uint64_t i = 0; i < 200; ++i) {
    RandomStream random(7, i);
    drawn.insert(centres.Draw(random));
  }
  EXPECT_THAT(drawn, ElementsAre("1", "2", "3", "4"));
}

TEST(SearchSpaceTest, DrawsOfANarrowRangeDiffer) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TriedKey beta, ParseTry("optimizer.beta2=0.9990..0.9999"));
  std::set<std::string> drawn;
  for (uint64_t i = 0; i < 50; ++i) {
    RandomStream random(7, i);
    drawn.insert(beta.Draw(random));
  }
  EXPECT_GT(drawn.size(), 45u);
}

TEST(SearchSpaceTest, NamesTheKeyAndWhatIsWrong) {
  EXPECT_THAT(ErrorOf("head.margn=0.3"), HasSubstr("did you mean \"head.margin\"?"));
  EXPECT_THAT(ErrorOf("head.margin"), HasSubstr("\"head.margin\" is not KEY=VALUES"));
  EXPECT_THAT(ErrorOf("head.margin="), HasSubstr("head.margin has no values"));
  EXPECT_THAT(ErrorOf("head.kind=arcface,arcfase"), HasSubstr("did you mean \"arcface\"?"));
  EXPECT_THAT(ErrorOf("augment.flip=0.5,1.5"), HasSubstr("augment.flip is 1.5, must be 0 to 1"));
  EXPECT_THAT(ErrorOf("augment.flip=0..1.5"), HasSubstr("augment.flip is 1.5, must be 0 to 1"));
  EXPECT_THAT(ErrorOf("data.batch=8.5..16"), HasSubstr("data.batch must be a whole number"));
  EXPECT_THAT(ErrorOf("head.margin=0.3,0.30"), HasSubstr("head.margin has the value 0.30 twice"));
  EXPECT_THAT(ErrorOf("head.margin=auto..0.5"), HasSubstr("\"auto\" is not the end of a range"));
}

TEST(SearchSpaceTest, RefusesRangesThatAreNone) {
  EXPECT_THAT(ErrorOf("head.margin=0.5..0.3"), HasSubstr("head.margin begins at 0.5 and ends at"));
  EXPECT_THAT(ErrorOf("augment.flip=0..1:log"), HasSubstr("a range with :log begins above 0"));
  EXPECT_THAT(ErrorOf("augment.flip=0..1:lin"), HasSubstr("\"lin\" is not what follows a range"));
  EXPECT_THAT(ErrorOf("augment.flip=0..1:1"), HasSubstr("a number of points from 2 on"));
  EXPECT_THAT(ErrorOf("head.sub_centers=1..3:5"),
              HasSubstr("has 3 whole numbers, which is fewer than 5 points"));
}

TEST(SearchSpaceTest, AKeyIsTriedOnce) {
  const auto space = ParseTries({"head.margin=0.3", "head.margin=0.4"});
  EXPECT_THAT(std::string(MessageOf(space.status())), HasSubstr("head.margin is there twice"));
  EXPECT_THAT(std::string(MessageOf(ParseTries({}).status())), HasSubstr("what to try"));
}

}  // namespace
}  // namespace facegate
