#include "server/rpc/repeated_line.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace facegate {
namespace {

using namespace std::chrono_literals;

TEST(RepeatedLineTest, WritesTheSameLineOnceInAWhileAndCountsTheOthers) {
  RepeatedLine repeated;
  const Clock::TimePoint start{};
  EXPECT_EQ(repeated.Ask("the disk has failed", start + 1h), 0u);
  EXPECT_EQ(repeated.Ask("the disk has failed", start + 1h + 1s), std::nullopt);
  EXPECT_EQ(repeated.Ask("the disk has failed", start + 1h + 9s), std::nullopt);
  EXPECT_EQ(repeated.Ask("the disk has failed", start + 1h + 10s), 2u);
}

TEST(RepeatedLineTest, AnotherLineIsWrittenAtOnce) {
  RepeatedLine repeated;
  const Clock::TimePoint start{};
  EXPECT_EQ(repeated.Ask("the disk has failed", start + 1h), 0u);
  EXPECT_EQ(repeated.Ask("the model has failed", start + 1h), 0u);
  EXPECT_EQ(repeated.Ask("the disk has failed", start + 1h), 0u);
}

}  // namespace
}  // namespace facegate
