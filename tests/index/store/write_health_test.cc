#include "index/store/write_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

Status DiskIsFull() { return Refuse(Reason::kStoreFull, "the disk is full"); }
Status DiskHasFailed() { return Refuse(Reason::kInternal, "it has failed"); }

TEST(WriteHealthTest, TellsEachChangeOnce) {
  std::vector<StatusCode> told;
  WriteHealth health([&](const Status& state) { told.push_back(state.code()); });
  health.SetGood();
  for (int i = 0; i < 3; ++i) health.SetRefused(DiskIsFull(), "detail");
  EXPECT_THAT(health.state(), RefusedWith(Reason::kStoreFull));
  for (int i = 0; i < 3; ++i) health.SetGood();
  health.SetStopped(DiskHasFailed(), "detail");
  EXPECT_THAT(told, ::testing::ElementsAre(StatusCode::kResourceExhausted, StatusCode::kOk,
                                           StatusCode::kInternal));
}

// That write was taken before the database stopped, and comes to tell of it after.
TEST(WriteHealthTest, AGoodWriteDoesNotHideThatTheDatabaseHasStopped) {
  for (const Status& failure : {DiskIsFull(), DiskHasFailed()}) {
    WriteHealth health({});
    health.SetStopped(failure, "detail");
    health.SetRefused(DiskIsFull(), "one more write");
    health.SetGood();
    EXPECT_EQ(health.state().code(), failure.code());
    health.SetRecovered();
    EXPECT_THAT(health.state(), IsOk());
  }
}

TEST(WriteHealthTest, ADatabaseMayStopAfterAWriteWasRefused) {
  WriteHealth health({});
  health.SetRefused(DiskIsFull(), "detail");
  health.SetStopped(DiskIsFull(), "detail");
  health.SetGood();
  EXPECT_THAT(health.state(), RefusedWith(Reason::kStoreFull));
}

// The last to be told is told what is true, whichever threads found it out.
TEST(WriteHealthTest, TellsChangesOfManyThreadsInTheirOrder) {
  std::atomic<int> inside{0};
  std::vector<StatusCode> told;
  WriteHealth health([&](const Status& state) {
    EXPECT_EQ(inside.fetch_add(1), 0);
    told.push_back(state.code());
    inside.fetch_sub(1);
  });
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          if ((i + t) % 2 == 0) {
            health.SetRefused(DiskIsFull(), "");
          } else {
            health.SetGood();
          }
        }
      });
    }
  }
  ASSERT_FALSE(told.empty());
  for (size_t i = 0; i < told.size(); ++i) {
    EXPECT_EQ(told[i], i % 2 == 0 ? StatusCode::kResourceExhausted : StatusCode::kOk) << i;
  }
  EXPECT_EQ(told.back(), health.state().code());
}

}  // namespace
}  // namespace facegate
