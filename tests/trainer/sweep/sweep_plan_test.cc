#include "trainer/sweep/sweep_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

SweepPlan SomePlan() {
  SweepPlan plan;
  plan.base.holdout.identities = 4;
  plan.tries = {"schedule.rate=0.01..0.3:log"};
  plan.method = SweepMethod::kHalving;
  plan.trials = 9;
  plan.seed = 18'000'000'000'000'000'000U;
  plan.eta = 4;
  plan.first_epochs = 2.5;
  plan.score_by = {"held-out"};
  return plan;
}

TEST(SweepPlanTest, ComesBackFromItsJson) {
  SweepPlan read;
  ASSERT_THAT(PlanFromJson(PlanToJson(SomePlan()), read), IsOk());
  EXPECT_EQ(PlanToJson(read), PlanToJson(SomePlan()));
  EXPECT_EQ(read.seed, SomePlan().seed);
}

TEST(SweepPlanTest, RefusesOtherJson) {
  SweepPlan read;
  for (const char* const json : {"", "[]", "{}", "{\"try\": 3}"}) {
    EXPECT_THAT(PlanFromJson(json, read), StatusIs(StatusCode::kDataLoss)) << json;
  }
}

TEST(SweepPlanTest, AnotherPlanIsRefusedByItsOptions) {
  SweepPlan other = SomePlan();
  other.seed = 3;
  other.tries = {"schedule.rate=0.01..0.2:log"};
  const Status status = CheckSamePlan("sweeps/a", SomePlan(), other);
  EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(
      std::string(MessageOf(status)),
      AllOf(HasSubstr("sweeps/a was begun with another plan"),
            HasSubstr("--try: schedule.rate=0.01..0.2:log, which was schedule.rate=0.01..0.3:log"),
            HasSubstr("--seed: 3, which was 18000000000000000000")));
}

TEST(SweepPlanTest, AnotherBaseIsRefusedByItsKeys) {
  SweepPlan other = SomePlan();
  other.base.head.scale = 32.0;
  EXPECT_THAT(std::string(MessageOf(CheckSamePlan("a", SomePlan(), other))),
              HasSubstr("head.scale: 32, which was 64"));
  other = SomePlan();
  other.base.schedule.epochs = 40.0;
  EXPECT_THAT(std::string(MessageOf(CheckSamePlan("a", SomePlan(), other))),
              HasSubstr("schedule.epochs: 40, which was 20"));
}

TEST(SweepPlanTest, AnotherMachineIsNoOtherPlan) {
  SweepPlan other = SomePlan();
  other.base.machine.threads = 7;
  EXPECT_THAT(CheckSamePlan("a", SomePlan(), other), IsOk());
}

TEST(SweepPlanTest, OnlyRandomTrialsMayBecomeMore) {
  SweepPlan before = SomePlan();
  SweepPlan now = SomePlan();
  now.trials = 12;
  EXPECT_THAT(CheckSamePlan("a", before, now), StatusIs(StatusCode::kFailedPrecondition));
  before.method = now.method = SweepMethod::kRandom;
  EXPECT_THAT(CheckSamePlan("a", before, now), IsOk());
  EXPECT_THAT(CheckSamePlan("a", now, before), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(SweepPlanTest, RandomTrialsThatWereNotCountedMayBecomeMoreThanTheUsualOnes) {
  SweepPlan before = SomePlan();
  before.method = SweepMethod::kRandom;
  before.trials.reset();
  SweepPlan now = before;
  now.trials = 30;
  EXPECT_THAT(CheckSamePlan("a", before, now), IsOk());
  now.trials = 12;
  EXPECT_THAT(CheckSamePlan("a", before, now), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(SweepPlanTest, OptionsOfHalvingAreChecked) {
  SweepPlan plan = SomePlan();
  plan.eta = 1;
  EXPECT_EQ(FieldOf(PlanSweep(plan).status()), "--eta");
  plan = SomePlan();
  plan.first_epochs = 21.0;
  EXPECT_EQ(FieldOf(PlanSweep(plan).status()), "--first-epochs");
  plan.method = SweepMethod::kRandom;
  EXPECT_EQ(FieldOf(PlanSweep(plan).status()), "--first-epochs");
}

TEST(SweepPlanTest, TheBaseIsKeptWithAbsolutePathsAndAsManyThreadsAsItSays) {
  Recipe recipe;
  recipe.data.train = {"faces"};
  const Recipe kept = KeptBase(recipe);
  EXPECT_TRUE(kept.data.train[0].starts_with('/'));
  EXPECT_EQ(kept.machine.threads, 0);
  EXPECT_FALSE(kept.head.margin.has_value()) << "it follows from a head.kind that is tried";
}

}  // namespace
}  // namespace facegate
