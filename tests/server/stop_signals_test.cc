#include "server/stop_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <latch>
#include <thread>

#include "server/stop_limit.h"

namespace facegate {
namespace {

TEST(StopSignalsTest, TheFirstSignalAsksToStop) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    StopSignals signals;
    EXPECT_FALSE(signals.requested());
    EXPECT_FALSE(signals.WaitFor(std::chrono::milliseconds(1)));
    ASSERT_EQ(kill(getpid(), number), 0);
    EXPECT_TRUE(signals.WaitFor(std::chrono::minutes(1)));
    signals.Wait();
    EXPECT_TRUE(signals.requested());
  }
}

// A closing terminal does so.
TEST(StopSignalsTest, AHangUpAfterTheFirstSignalDoesNothing) {
  StopSignals signals;
  for (const int number : {SIGHUP, SIGHUP}) {
    ASSERT_EQ(kill(getpid(), number), 0);
    signals.Wait();
  }
  EXPECT_TRUE(signals.requested());
}

TEST(StopSignalsTest, AHangUpThatWasIgnoredStaysIgnored) {
  ASSERT_NE(std::signal(SIGHUP, SIG_IGN), SIG_ERR);  // nohup
  {
    StopSignals signals;
    ASSERT_EQ(kill(getpid(), SIGHUP), 0);
    EXPECT_FALSE(signals.WaitFor(std::chrono::milliseconds(50)));
  }
  EXPECT_EQ(std::signal(SIGHUP, SIG_DFL), SIG_IGN);
}

TEST(StopSignalsTest, HearsOfASignalThatAnOlderThreadGets) {
  std::latch made(1);
  std::latch stopped(1);
  std::thread older([&] {
    made.wait();
    raise(SIGTERM);  // to this very thread
    stopped.wait();
  });
  StopSignals signals;
  made.count_down();
  signals.Wait();
  stopped.count_down();
  older.join();
}

TEST(StopSignalsTest, EndsWithoutASignal) { EXPECT_FALSE(StopSignals().requested()); }

TEST(StopSignalsDeathTest, TheSecondSignalEndsTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        StopSignals signals;
        kill(getpid(), SIGTERM);
        signals.Wait();
        kill(getpid(), SIGINT);
        for (;;) pause();
      },
      ::testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(StopLimitDeathTest, EndsTheProcessWhenAStopTakesTooLong) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const StopLimit limit(std::chrono::milliseconds(20), 7);
        for (;;) pause();
      },
      ::testing::ExitedWithCode(7), "the stop takes too long");
}

TEST(StopLimitTest, DoesNothingToAStopThatEndsInTime) {
  const StopLimit limit(std::chrono::hours(1), 7);
}

}  // namespace
}  // namespace facegate
