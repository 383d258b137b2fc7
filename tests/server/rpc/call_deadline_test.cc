#include "server/rpc/call_deadline.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

using std::chrono::system_clock;
using namespace std::chrono_literals;

constexpr system_clock::time_point kWallNow(1'800'000'000s);
constexpr Clock::TimePoint kNow(5'000s);

TEST(MonotonicDeadlineTest, IsAsFarOffAsTheWallClocks) {
  EXPECT_EQ(MonotonicDeadline(kWallNow + 3s, kWallNow, kNow), kNow + 3s);
  EXPECT_EQ(MonotonicDeadline(kWallNow - 3s, kWallNow, kNow), kNow - 3s) << "it has passed";
}

TEST(MonotonicDeadlineTest, IsNoneWhereThereIsNone) {
  EXPECT_EQ(MonotonicDeadline(system_clock::time_point::max(), kWallNow, kNow), Deadline::max());
}

// 2562048 hours and more from now overflow nanoseconds: gRPC's time is before 1970.
TEST(MonotonicDeadlineTest, IsNoneWhereItIsCenturiesOff) {
  EXPECT_EQ(MonotonicDeadline(system_clock::time_point(-1'000'000'000s), kWallNow, kNow),
            Deadline::max());
}

}  // namespace
}  // namespace facegate
