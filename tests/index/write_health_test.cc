#include "index/write_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

Status DiskIsFull() { return Refuse(Reason::kStoreFull, "the disk is full"); }

TEST(WriteHealthTest, TellsEachChangeOnce) {
  std::vector<StatusCode> told;
  WriteHealth health([&](const Status& state) { told.push_back(state.code()); });
  health.SetGood();
  for (int i = 0; i < 3; ++i) health.Set(DiskIsFull(), "detail");
  EXPECT_THAT(health.state(), RefusedWith(Reason::kStoreFull));
  for (int i = 0; i < 3; ++i) health.SetGood();
  health.Set(Refuse(Reason::kInternal, "it has failed"), "detail");
  EXPECT_THAT(told, ::testing::ElementsAre(StatusCode::kResourceExhausted, StatusCode::kOk,
                                           StatusCode::kInternal));
}

// Who is told last is told what is true, whichever threads found it out.
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
        for (int i = 0; i < 50; ++i) health.Set((i + t) % 2 == 0 ? DiskIsFull() : OkStatus(), "");
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
