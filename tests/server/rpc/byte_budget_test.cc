#include "server/rpc/byte_budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(ByteBudgetTest, GivesUpToItsLimitAndAgainWhatCameBack) {
  ByteBudget budget(100);
  EXPECT_THAT(budget.Take(60), IsOk());
  EXPECT_THAT(budget.Take(40), IsOk());
  EXPECT_THAT(budget.Take(1), RefusedWith(Reason::kQueueFull));
  EXPECT_THAT(budget.Take(0), IsOk());
  budget.GiveBack(60);
  EXPECT_THAT(budget.Take(61), RefusedWith(Reason::kQueueFull));
  EXPECT_THAT(budget.Take(60), IsOk());
}

TEST(ByteBudgetTest, SaysHowMuchIsHeldAskedAndAllowed) {
  ByteBudget budget(100);
  ASSERT_THAT(budget.Take(70), IsOk());
  const Status full = budget.Take(31);
  EXPECT_THAT(std::string(MessageOf(full)), HasSubstr("hold 70 bytes and this one has 31"));
  EXPECT_THAT(std::string(MessageOf(full)), HasSubstr("hold 100"));
}

TEST(ByteBudgetTest, ARequestOfAnySizeDoesNotOverflow) {
  ByteBudget budget(100);
  ASSERT_THAT(budget.Take(1), IsOk());
  EXPECT_THAT(budget.Take(std::numeric_limits<uint64_t>::max()), RefusedWith(Reason::kQueueFull));
}

TEST(ByteBudgetTest, CountsRightWithManyThreads) {
  ByteBudget budget(3);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&budget] {
        for (int round = 0; round < 1000; ++round) {
          if (budget.Take(1).ok()) budget.GiveBack(1);
        }
      });
    }
  }
  EXPECT_THAT(budget.Take(3), IsOk());
}

}  // namespace
}  // namespace facegate
