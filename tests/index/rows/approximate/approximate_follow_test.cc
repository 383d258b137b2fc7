// How an approximate finder follows the rows of an index.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/index/rows/approximate/approximate_finder_fixture.h"

namespace facegate {
namespace {

class ApproximateFollowTest : public ApproximateFinderTest {};

INSTANTIATE_TEST_SUITE_P(Kinds, ApproximateFollowTest,
                         ::testing::Values(ApproximateKind::kHnsw, ApproximateKind::kIvf),
                         KindName);

TEST_P(ApproximateFollowTest, NeverFindsRemovedRows) {
  Fill(2000);
  SetFinder();
  std::vector<OracleRow> removed;
  const auto expect_none = [&] {
    for (const OracleRow& row : removed) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto matches, index().Search(row.vector, 3));
      for (const IndexMatch& match : matches) EXPECT_NE(match.template_id, row.template_id);
    }
  };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 150; ++i) {
      const size_t place = random_() % size();
      removed.push_back(oracle_.rows()[place]);
      oracle_.RemoveAt(place);
    }
    expect_none();
    EXPECT_GT(oracle_.Move(0.0), 0u);
    expect_none();
    thread_->AwaitIdle();
    expect_none();
  }
}

TEST_P(ApproximateFollowTest, KnowsRowsAgainThatHaveMoved) {
  Fill(2000);
  const std::shared_ptr<Follower> follower = SetFinderToFollowByHand();
  follower->FollowNow({});
  for (int i = 0; i < 100; ++i) oracle_.RemoveAt(random_() % size());
  EXPECT_GT(oracle_.Move(0.0), 0u);
  int asked = 0;
  follower->FollowNow([&] {
    asked += 1;
    return OkStatus();
  });
  EXPECT_EQ(asked, 0) << "it does what takes long";
  EXPECT_EQ(finder_->state().rows, size());
  EXPECT_GE(Recall(30), 0.95);
}

TEST_P(ApproximateFollowTest, ForgetsAllWhereAllHasGone) {
  Fill(1000);
  SetFinder();
  while (size() > 0) oracle_.RemoveAt(size() - 1);
  oracle_.Move(0.0);
  Follow();
  EXPECT_EQ(finder_->state().rows, 0u);
  Fill(10);
  oracle_.ExpectExact(Random(), 3);
}

TEST_P(ApproximateFollowTest, TakesInWhatCameLater) {
  SetFinder();
  for (int round = 0; round < 12; ++round) {
    Fill(500);
    ASSERT_THAT(index().Search(Random(), 1), IsOk());
    thread_->AwaitIdle();
  }
  EXPECT_GE(finder_->state().rows, size() * 7 / 8);
  EXPECT_GE(Recall(40), 0.95);
}

TEST_P(ApproximateFollowTest, LeavesAloneWhatItCannotTakeIn) {
  std::vector<float> strange = Random();
  strange[3] = std::nanf("");
  for (uint64_t i = 1; i <= 500; ++i) oracle_.Add(i, strange);
  thread_.reset();
  finder_ = MakeFinder();
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  int asked = 0;
  const auto follow = [&] {
    std::dynamic_pointer_cast<Follower>(finder_)->FollowNow([&] {
      asked += 1;
      return OkStatus();
    });
    return std::exchange(asked, 0);
  };
  EXPECT_GT(follow(), 0);
  ASSERT_THAT(index().Search(Random(), 3), IsOk());
  EXPECT_EQ(follow(), 0);
}

TEST_P(ApproximateFollowTest, EndsItsWorkWhereverItIsToldTo) {
  Fill(2000);
  // It asks nobody to let it follow, which is what this test does.
  const std::shared_ptr<Follower> follower = SetFinderToFollowByHand();
  for (const int stop_at : {1, 2, 5, 9}) {
    int asked = 0;
    follower->FollowNow([&] {
      asked += 1;
      return asked >= stop_at ? Refuse(Reason::kDeadline, "as told") : OkStatus();
    });
    EXPECT_LE(asked, stop_at + 1) << "once more whether it has failed";
    EXPECT_EQ(finder_->state().rows, 0u);
    ASSERT_THAT(index().SetFinder(finder_), IsOk());
  }
  follower->FollowNow({});
  EXPECT_EQ(finder_->state().rows, 2000u);
}

TEST_P(ApproximateFollowTest, TellsNoRecallOfBeforeWhereManyRowsHaveGone) {
  Fill(1000);
  const std::shared_ptr<Follower> follower = SetFinderToFollowByHand();
  follower->FollowNow({});
  EXPECT_TRUE(finder_->state().recall.has_value());
  for (int i = 0; i < 100; ++i) oracle_.RemoveAt(random_() % size());
  EXPECT_GT(oracle_.Move(0.0), 0u);
  follower->LetGo();
  EXPECT_FALSE(finder_->state().recall.has_value());
  follower->FollowNow({});
  EXPECT_TRUE(finder_->state().recall.has_value());
}

TEST_P(ApproximateFollowTest, KnowsRowsAgainThatMoveWhileTheirPartIsMadeAnew) {
  Fill(1000);
  const std::shared_ptr<Follower> follower = SetFinderToFollowByHand();
  follower->FollowNow({});
  Fill(600);
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  int asked = 0;
  follower->FollowNow([&]() -> Status {
    if (++asked != 12) return OkStatus();
    oracle_.RemoveAt(0);
    EXPECT_GT(oracle_.Move(0.0), 0u);
    return index().SetFinder(finder_);
  });
  EXPECT_GE(asked, 12);
  size_t lost = 0;
  for (const OracleRow& row : oracle_.rows()) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto matches, index().Search(row.vector, 1));
    lost += matches.empty() || matches.front().template_id != row.template_id ? 1 : 0;
  }
  EXPECT_LE(lost, size() / 100);
}

TEST_P(ApproximateFollowTest, LooksThroughNothingWhereFewRowsAreLeft) {
  Fill(1000);
  SetFinder();
  while (size() > kLeastRows - 100) oracle_.RemoveAt(random_() % size());
  oracle_.Move(0.0);
  Follow();
  EXPECT_EQ(finder_->state().rows, 0u);
  EXPECT_EQ(finder_->state().recall, std::nullopt);
  const uint64_t found = index().counts().found;
  oracle_.ExpectExact(Random(), 10);
  EXPECT_EQ(index().counts().found, found);
  Fill(200);
  ASSERT_THAT(index().Search(Random(), 1), IsOk());
  thread_->AwaitIdle();
  EXPECT_EQ(finder_->state().rows, size()) << "there are many again";
}

// After a failure, here of rows of which none can be taken in.
TEST_P(ApproximateFollowTest, WaitsUntilTimeHasPassed) {
  std::vector<float> strange = Random();
  strange[3] = std::nanf("");
  for (uint64_t i = 1; i <= 500; ++i) oracle_.Add(i, strange);
  for (const auto wait : {std::chrono::hours(1), std::chrono::hours(0)}) {
    wait_after_failure_ = wait;
    SetFinder();
    Fill(2000);
    ASSERT_THAT(index().Search(Random(), 1), IsOk());
    thread_->AwaitIdle();
    if (wait == std::chrono::hours(0)) {
      EXPECT_GT(finder_->state().rows, 1000u);
    } else {
      EXPECT_EQ(finder_->state().rows, 0u);
      while (size() > 500) oracle_.RemoveAt(size() - 1);
      oracle_.Move(0.0);
    }
  }
}

TEST_P(ApproximateFollowTest, WaitsThoughSegmentsCome) {
  Fill(1000);
  const std::shared_ptr<Follower> follower = SetFinderToFollowByHand();
  follower->FollowNow({});
  Fill(600);
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  int asked = 0;
  follower->FollowNow([&] {
    asked += 1;
    return asked == 1 ? Refuse(Reason::kDeadline, "by mistake") : OkStatus();
  });
  EXPECT_EQ(asked, 2) << "once more whether it is to end";
  for (int round = 0; round < 2; ++round) {
    Fill(8000);
    ASSERT_THAT(index().SetFinder(finder_), IsOk());
    follower->FollowNow([&] {
      asked += 1;
      return OkStatus();
    });
    EXPECT_EQ(asked, 2);
  }
  EXPECT_EQ(finder_->state().rows, 1000u);
}

TEST_P(ApproximateFollowTest, WaitsNoLongerThanRowsAreInTheirPlaces) {
  Fill(500);
  while (size() > 0) oracle_.RemoveAt(size() - 1);
  SetFinder();
  oracle_.Move(0.0);
  Fill(1000);
  ASSERT_THAT(index().Search(Random(), 1), IsOk());
  thread_->AwaitIdle();
  EXPECT_EQ(finder_->state().rows, 1000u);
}

// What happens between two steps of a build, of lists or of a graph.
TEST_P(ApproximateFollowTest, FollowsWhatMovesWhileItTakesIn) {
  Fill(2000);
  thread_.reset();
  finder_ = MakeFinder();
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  int asked = 0;
  std::dynamic_pointer_cast<Follower>(finder_)->FollowNow([&]() -> Status {
    if (++asked % 6 != 0 || asked > 60) return OkStatus();
    for (int i = 0; i < 10; ++i) oracle_.RemoveAt(random_() % size());
    EXPECT_GT(oracle_.Move(0.0), 0u);
    return index().SetFinder(finder_);
  });
  EXPECT_GE(asked, 12);
  EXPECT_GT(finder_->state().rows, 1000u);
  EXPECT_GE(Recall(30), 0.95);
}

}  // namespace
}  // namespace facegate
