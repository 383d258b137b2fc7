#include "server/stop_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <latch>
#include <thread>

namespace facegate {
namespace {

TEST(StopSignalsTest, TheFirstSignalAsksToStop) {
  for (const int number : {SIGTERM, SIGINT}) {
    StopSignals signals;
    EXPECT_FALSE(signals.requested());
    ASSERT_EQ(kill(getpid(), number), 0);
    signals.Wait();
    EXPECT_TRUE(signals.requested());
  }
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

}  // namespace
}  // namespace facegate
