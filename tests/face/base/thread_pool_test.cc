#include "face/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(ThreadPoolTest, RunsEveryTaskOnce) {
  std::atomic<int> sum = 0;
  {
    ThreadPool pool(3, 1000);
    for (int i = 1; i <= 100; ++i) {
      ASSERT_THAT(pool.Submit([&sum, i] { sum += i; }), IsOk());
    }
  }
  EXPECT_EQ(sum, 5050);
}

TEST(ThreadPoolTest, RunsTasksInTheirOrder) {
  std::vector<int> order;
  {
    ThreadPool pool(1, 10);
    for (int i = 0; i < 5; ++i) {
      ASSERT_THAT(pool.Submit([&order, i] { order.push_back(i); }), IsOk());
    }
  }
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(ThreadPoolTest, RunsAsManyTasksSideBySideAsItHasThreads) {
  ThreadPool pool(3, 10);
  std::latch all_inside(3);  // never passed by fewer than three threads
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(pool.Submit([&] { all_inside.arrive_and_wait(); }), IsOk());
  }
  all_inside.wait();
}

TEST(ThreadPoolTest, RefusesWhatDoesNotFitItsQueue) {
  ThreadPool pool(1, 2);
  std::latch entered(1);
  std::latch leave(1);
  ASSERT_THAT(pool.Submit([&] {
    entered.count_down();
    leave.wait();
  }),
              IsOk());
  entered.wait();
  std::atomic<int> ran = 0;
  EXPECT_THAT(pool.Submit([&] { ++ran; }), IsOk());
  EXPECT_THAT(pool.Submit([&] { ++ran; }), IsOk());
  EXPECT_THAT(pool.Submit([&] { ++ran; }), RefusedWith(Reason::kQueueFull));
  leave.count_down();
  pool.Stop();
  EXPECT_EQ(ran, 2);
}

TEST(ThreadPoolTest, StopRunsWhatWaitsAndRefusesWhatComes) {
  ThreadPool pool(1, 10);
  std::latch leave(1);
  std::atomic<int> ran = 0;
  ASSERT_THAT(pool.Submit([&] { leave.wait(); }), IsOk());
  ASSERT_THAT(pool.Submit([&] { ++ran; }), IsOk());
  std::thread stopper([&] { pool.Stop(); });
  leave.count_down();
  stopper.join();
  EXPECT_EQ(ran, 1);
  EXPECT_THAT(pool.Submit([&] { ++ran; }), RefusedWith(Reason::kShuttingDown));
  pool.Stop();
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace facegate
