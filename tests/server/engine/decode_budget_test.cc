#include "server/engine/decode_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

class DecodeBudgetTest : public ::testing::Test {
 protected:
  // A caller who goes when the test says so.
  Caller Patient() { return {.deadline = Deadline::max(), .cancelled = gone_}; }

  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
  DecodeBudget budget_{100, Clock::System()};
};

TEST_F(DecodeBudgetTest, APictureWaitsUntilThereIsRoom) {
  std::optional<DecodeBudget::Share> first;
  FACEGATE_ASSERT_OK_AND_ASSIGN(first, budget_.Take(60, Patient()));
  std::atomic<bool> taken = false;
  std::thread second([&] {
    EXPECT_TRUE(budget_.Take(60, Patient()).ok());
    taken = true;
  });
  std::this_thread::sleep_for(30ms);
  EXPECT_FALSE(taken);
  first.reset();
  second.join();
  EXPECT_TRUE(taken);
}

TEST_F(DecodeBudgetTest, ALargerPictureThanTheBudgetIsDecodedAlone) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const DecodeBudget::Share huge, budget_.Take(1000, Patient()));
  EXPECT_THAT(budget_.Take(1, {.deadline = Clock::System().Now() + 20ms, .cancelled = nullptr}),
              RefusedWith(Reason::kDeadline));
}

TEST_F(DecodeBudgetTest, WhoGoesDoesNotWaitAndHoldsNobodyUp) {
  std::optional<DecodeBudget::Share> all;
  FACEGATE_ASSERT_OK_AND_ASSIGN(all, budget_.Take(100, Patient()));
  std::thread waiting([&] {
    EXPECT_THAT(budget_.Take(100, {.deadline = Deadline::max(), .cancelled = gone_}),
                StatusIs(StatusCode::kCancelled));
  });
  std::thread behind([&] { EXPECT_TRUE(budget_.Take(1, {}).ok()); });
  *gone_ = true;
  waiting.join();
  all.reset();
  behind.join();
}

}  // namespace
}  // namespace facegate
