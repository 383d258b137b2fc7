#include "server/rpc/repeated_line.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

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

// A broken disk is met by several methods in turn.
TEST(RepeatedLineTest, LinesThatTakeTurnsAreWrittenOnceEach) {
  RepeatedLine repeated;
  const Clock::TimePoint start{};
  EXPECT_EQ(repeated.Ask("Enroll: the disk has failed", start + 1h), 0u);
  EXPECT_EQ(repeated.Ask("DeleteIdentity: the disk has failed", start + 1h), 0u);
  EXPECT_EQ(repeated.Ask("Enroll: the disk has failed", start + 1h), std::nullopt);
  EXPECT_EQ(repeated.Ask("DeleteIdentity: the disk has failed", start + 1h), std::nullopt);
}

TEST(RepeatedLineTest, RemembersFewLines) {
  RepeatedLine repeated;
  const Clock::TimePoint start{};
  for (size_t i = 0; i <= RepeatedLine::kMostLines; ++i) {
    EXPECT_EQ(repeated.Ask(std::to_string(i), start + std::chrono::milliseconds(i)), 0u);
  }
  EXPECT_EQ(repeated.Ask("0", start + 1s), 0u) << "the oldest is forgotten";
  EXPECT_EQ(repeated.Ask("2", start + 1s), std::nullopt);
}

}  // namespace
}  // namespace facegate
