#include "trainer/learn/lr_schedule.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

LrSchedule Schedule(ScheduleOptions options) {
  auto schedule = LrSchedule::Create(std::move(options));
  EXPECT_THAT(schedule, IsOk());
  return *std::move(schedule);
}

TEST(LrScheduleTest, WarmsUpToTheBaseThenFollowsTheCurve) {
  const LrSchedule cosine = Schedule({.base = 0.2, .minimum = 0.02, .total = 110, .warmup = 10});
  EXPECT_DOUBLE_EQ(cosine.At(0), 0.02);
  EXPECT_DOUBLE_EQ(cosine.At(9), 0.2);
  EXPECT_DOUBLE_EQ(cosine.At(10), 0.2);
  EXPECT_NEAR(cosine.At(60), 0.11, 1e-12);
  EXPECT_NEAR(cosine.At(109), 0.02, 1e-4);
  EXPECT_DOUBLE_EQ(cosine.At(1000), cosine.At(109));
}

TEST(LrScheduleTest, StepsDown) {
  const LrSchedule step =
      Schedule({.kind = "step", .base = 1.0, .total = 100, .every = 20, .gamma = 0.5});
  EXPECT_DOUBLE_EQ(step.At(19), 1.0);
  EXPECT_DOUBLE_EQ(step.At(20), 0.5);
  EXPECT_DOUBLE_EQ(step.At(99), 0.0625);
  const LrSchedule milestones =
      Schedule({.kind = "multistep", .base = 1.0, .total = 100, .milestones = {30, 60}});
  EXPECT_DOUBLE_EQ(milestones.At(29), 1.0);
  EXPECT_NEAR(milestones.At(30), 0.1, 1e-15);
  EXPECT_NEAR(milestones.At(99), 0.01, 1e-15);
}

TEST(LrScheduleTest, AConstantRateNeverFalls) {
  const LrSchedule constant =
      Schedule({.kind = "constant", .base = 0.1, .minimum = 0.01, .total = 100});
  for (const int64_t update : {0, 50, 99}) EXPECT_DOUBLE_EQ(constant.At(update), 0.1) << update;
}

TEST(LrScheduleTest, FallsByAPower) {
  const LrSchedule line = Schedule({.kind = "polynomial", .base = 1.0, .total = 100});
  EXPECT_DOUBLE_EQ(line.At(0), 1.0);
  EXPECT_DOUBLE_EQ(line.At(25), 0.75);
  const LrSchedule square =
      Schedule({.kind = "polynomial", .base = 1.0, .total = 100, .power = 2.0});
  EXPECT_DOUBLE_EQ(square.At(50), 0.25);
}

// YOLOX's curve: a quadratic warm-up from a tenth, a cosine, a constant tail.
TEST(LrScheduleTest, FollowsYolox) {
  const LrSchedule yolox = Schedule(
      {.kind = "yolox", .base = 1.0, .minimum = 0.01, .total = 100, .warmup = 10, .tail = 20});
  EXPECT_NEAR(yolox.At(4), 0.1 + 0.9 * 0.25, 1e-12);
  EXPECT_DOUBLE_EQ(yolox.At(9), 1.0);
  EXPECT_NEAR(yolox.At(45), 0.01 + 0.99 * 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(yolox.At(80), 0.01);
  EXPECT_DOUBLE_EQ(yolox.At(99), 0.01);
}

TEST(LrScheduleTest, NeverRisesAfterTheWarmUp) {
  for (const std::string& kind : ScheduleKinds()) {
    const LrSchedule schedule = Schedule(
        {.kind = kind, .base = 0.1, .total = 200, .warmup = 20, .every = 50, .milestones = {99}});
    for (int64_t step = 0; step < 199; ++step) {
      EXPECT_GT(schedule.At(step), -1e-15) << kind;
      if (step < 19) {
        EXPECT_LT(schedule.At(step), schedule.At(step + 1)) << kind << " " << step;
      } else {
        EXPECT_GE(schedule.At(step), schedule.At(step + 1)) << kind << " " << step;
      }
    }
  }
}

TEST(LrScheduleTest, RefusesWhatHasNoMeaning) {
  const auto refused = [](const std::function<void(ScheduleOptions&)>& spoil) {
    ScheduleOptions options{.total = 100};
    spoil(options);
    EXPECT_THAT(LrSchedule::Create(options), StatusIs(StatusCode::kInvalidArgument));
  };
  refused([](ScheduleOptions& o) { o.kind = "linear"; });
  refused([](ScheduleOptions& o) { o.base = 0.0; });
  refused([](ScheduleOptions& o) { o.minimum = 1.0; });
  refused([](ScheduleOptions& o) { o.total = 0; });
  refused([](ScheduleOptions& o) { o.warmup = 101; });
  refused([](ScheduleOptions& o) { o.kind = "step"; });
  refused([](ScheduleOptions& o) { o.gamma = 0.0; });
  refused([](ScheduleOptions& o) { o.milestones = {5, 3}; });
}

}  // namespace
}  // namespace facegate
