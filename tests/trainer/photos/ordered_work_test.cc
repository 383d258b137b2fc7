#include "trainer/photos/ordered_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(OrderedWorkTest, HandsOverInOrderAndStaysCloseToWhatIsTaken) {
  std::atomic<size_t> taken = 0;
  std::atomic<size_t> furthest = 0;
  const auto make = [&](size_t i) -> StatusOr<size_t> {
    const size_t ahead = i - std::min(i, taken.load());
    for (size_t most = furthest; ahead > most && !furthest.compare_exchange_weak(most, ahead);) {
    }
    return i * i;
  };
  size_t expected = 0;
  const auto take = [&](size_t i, size_t square) -> Status {
    EXPECT_EQ(i, expected++);
    EXPECT_EQ(square, i * i);
    ++taken;
    return OkStatus();
  };
  EXPECT_THAT(OrderedWork<size_t>::Run(1000, 4, 8, make, take), IsOk());
  EXPECT_EQ(expected, 1000u);
  // One is handed over before it is counted as taken.
  EXPECT_LE(furthest, 8u + 1);
}

TEST(OrderedWorkTest, EndsWithTheFirstErrorInOrder) {
  size_t last = 0;
  const auto take = [&](size_t i, int) -> Status {
    last = i;
    return i == 40 ? DataLoss("taking") : OkStatus();
  };
  const auto fails = [](size_t i) -> StatusOr<int> {
    if (i >= 20) return InvalidArgument("making " + std::to_string(i));
    return 0;
  };
  const Status made = OrderedWork<int>::Run(1000, 4, 8, fails, take);
  EXPECT_EQ(MessageOf(made), "making 20");
  EXPECT_EQ(last, 19u);
  const auto works = [](size_t) -> StatusOr<int> { return 0; };
  EXPECT_THAT(OrderedWork<int>::Run(1000, 4, 8, works, take), StatusIs(StatusCode::kDataLoss));
  EXPECT_EQ(last, 40u);
}

TEST(OrderedWorkTest, AnExceptionIsAnError) {
  const auto throws = [](size_t) -> StatusOr<int> { throw std::runtime_error("lost"); };
  const auto take = [](size_t, int) { return OkStatus(); };
  EXPECT_THAT(OrderedWork<int>::Run(3, 2, 1, throws, take), StatusIs(StatusCode::kInternal));
  EXPECT_THAT(OrderedWork<int>::Run(0, 2, 1, throws, take), IsOk());
}

}  // namespace
}  // namespace facegate
