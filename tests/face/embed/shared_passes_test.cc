#include "face/embed/shared_passes.h"

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(SharedPassesTest, RunsEachPassOnceForAnyCountAndHelpers) {
  for (const int helpers : {0, 1, 3}) {
    SharedPasses passes(helpers);
    for (const size_t count : std::vector<size_t>{0, 1, 2, 50}) {
      std::vector<std::atomic<int>> runs(count);
      EXPECT_THAT(passes.Run(count,
                             [&](size_t pass) {
                               ++runs[pass];
                               return OkStatus();
                             }),
                  IsOk());
      for (const auto& times : runs) EXPECT_EQ(times, 1);
    }
  }
}

TEST(SharedPassesTest, PassesRunSideBySide) {
  SharedPasses passes(2);
  std::latch all_are_here(3);
  EXPECT_THAT(passes.Run(3,
                         [&](size_t) {
                           all_are_here.arrive_and_wait();
                           return OkStatus();
                         }),
              IsOk());
}

TEST(SharedPassesTest, ReturnsTheFirstErrorInTheOrderOfPassesAfterAllHaveEnded) {
  SharedPasses passes(2);
  std::atomic<int> ended = 0;
  const Status status = passes.Run(5, [&](size_t pass) {
    ++ended;
    if (pass == 1) return InvalidArgument("one");
    return pass == 3 ? Internal("three") : OkStatus();
  });
  EXPECT_EQ(ended, 5);
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
}

TEST(SharedPassesTest, CallerWorksAloneWhileTheHelpersAreBusy) {
  SharedPasses passes(1);
  std::latch both_taken(3);
  std::latch release(1);
  std::jthread other([&] {
    const Status status = passes.Run(2, [&](size_t) {
      both_taken.count_down();
      release.wait();
      return OkStatus();
    });
    EXPECT_THAT(status, IsOk());
  });
  both_taken.arrive_and_wait();
  std::atomic<int> runs = 0;
  EXPECT_THAT(passes.Run(4,
                         [&](size_t) {
                           ++runs;
                           return OkStatus();
                         }),
              IsOk());
  EXPECT_EQ(runs, 4);
  release.count_down();
}

TEST(SharedPassesTest, ManyCallersAtOnceEachGetTheirOwnResult) {
  SharedPasses passes(2);
  std::vector<std::jthread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&passes] {
      for (int round = 0; round < 200; ++round) {
        std::vector<int> done(5, 0);
        EXPECT_THAT(passes.Run(done.size(),
                               [&](size_t pass) {
                                 done[pass] = 1;
                                 return OkStatus();
                               }),
                    IsOk());
        EXPECT_THAT(done, ::testing::Each(1));
      }
    });
  }
}

}  // namespace
}  // namespace facegate
