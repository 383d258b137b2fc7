#include "trainer/learn/checkpoint_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

CheckpointFacts Facts() {
  return {{"count", "12"}, {"share", "0.25"}, {"below", "-1"}, {"words", "12 batches"}};
}

TEST(CheckpointFactsTest, ReadsNumbersAndTexts) {
  EXPECT_EQ(NumberIn<int64_t>(Facts(), "count"), 12);
  EXPECT_EQ(NumberIn<double>(Facts(), "share"), 0.25);
  EXPECT_EQ(TextIn(Facts(), "words"), "12 batches");
  EXPECT_EQ(CountIn(Facts(), "count").value(), 12);
}

TEST(CheckpointFactsTest, ANumberIsAllOfItsText) {
  EXPECT_EQ(NumberIn<int64_t>(Facts(), "words"), std::nullopt);
  EXPECT_EQ(NumberIn<int64_t>(Facts(), "share"), std::nullopt);
  EXPECT_EQ(NumberIn<int64_t>(Facts(), "absent"), std::nullopt);
}

TEST(CheckpointFactsTest, NamesACountThatIsNotStated) {
  for (const char* name : {"absent", "words", "below"}) {
    const auto count = CountIn(Facts(), name);
    ASSERT_THAT(count, StatusIs(StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(std::string(MessageOf(count.status())), HasSubstr(name));
  }
}

TEST(CheckpointFactsTest, NamesWhatAnotherTrainingHasDifferent) {
  EXPECT_THAT(CheckSameTraining("path", Facts(), {{"count", "12"}}), IsOk());
  const Status other = CheckSameTraining("path", Facts(), {{"count", "12"}, {"share", "0.5"}});
  EXPECT_THAT(other, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(other)), HasSubstr("its share is 0.25, now it is 0.5"));
  EXPECT_THAT(std::string(MessageOf(CheckSameTraining("path", Facts(), {{"seed", "1"}}))),
              HasSubstr("its seed is not known"));
}

}  // namespace
}  // namespace facegate
