// What ends a trial, and what ends the sweep.
#include "tests/trainer/sweep/sweep_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(SweepRunTest, ATrialThatFailsIsMarkedAndTheOthersGoOn) {
  faults_["trial-0002"] =
      FailedPrecondition("20 batches in a row gave no finite loss, \"it said\"");
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->record.trials[1].state, TrialState::kFailed);
  EXPECT_EQ(trained_.size(), 5u);
  EXPECT_THAT(out_.str(), HasSubstr("trial-0002 failed: 20 batches in a row"));
  EXPECT_THAT(Text("sweep.csv"),
              HasSubstr("0.2,\"20 batches in a row gave no finite loss, \"\"it said\"\"\"\n"));
}

TEST_F(SweepRunTest, ATrialThatFailedIsTriedAgainWhenThatIsWanted) {
  faults_["trial-0002"] = Internal("out of memory");
  ASSERT_THAT(Run(), IsOk());
  faults_.clear();
  ASSERT_THAT(Run(), IsOk());
  EXPECT_TRUE(trained_.empty());
  const auto report = Run(true, true);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(trained_, ElementsAre("trial-0002"));
  EXPECT_EQ(report->record.trials[1].state, TrialState::kDone);
}

TEST_F(SweepRunTest, SaysWhyWhereAllTrialsFail) {
  for (int i = 1; i <= 5; ++i) faults_[fmt::format("trial-000{}", i)] = Internal("no memory");
  const auto report = Run();
  EXPECT_THAT(report, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(report.status())),
              HasSubstr("all 5 trials failed; trial-0001: no memory"));
}

TEST_F(SweepRunTest, SettingsThatDoNotFitTogetherAreATrialThatFails) {
  plan_.tries = {"optimizer.accumulate=1,3"};  // checkpoint.every is 2
  plan_.base.head.margin = 0.3;
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->record.trials[1].reason, HasSubstr("a multiple of optimizer.accumulate"));
}

TEST_F(SweepRunTest, WhatIsWrongWithTheDataIsSaidBeforeATrialFails) {
  plan_.base.data.train = {dir_.File("absent")};
  EXPECT_FALSE(Run().ok());
  EXPECT_TRUE(trained_.empty());
  plan_.base.data.train = {dir_.File("photos")};
  EXPECT_THAT(Run(), IsOk()) << "the folder is free";
}

TEST_F(SweepRunTest, PhotosThatAreGoneWhenItGoesOnFailNoTrial) {
  stop_at_ = "trial-0003";
  ASSERT_THAT(Run(), IsOk());
  MovePhotos("photos", "gone");
  EXPECT_FALSE(Run(false).ok());
  EXPECT_TRUE(trained_.empty());
  EXPECT_THAT(FailedIn(dir_.File("sweep")), IsEmpty());
}

TEST_F(SweepRunTest, PhotosThatGoWhileItTrainsFailNoTrial) {
  photos_go_at_ = "trial-0002";
  faults_["trial-0002"] = NotFound("photos");
  const auto report = Run();
  EXPECT_THAT(std::string(MessageOf(report.status())), HasSubstr("trial-0002 goes no further"));
  EXPECT_EQ(trained_.size(), 2u);
  EXPECT_THAT(FailedIn(dir_.File("sweep")), IsEmpty());
  MovePhotos("gone", "photos");
  photos_go_at_.clear();
  faults_.clear();
  ASSERT_THAT(Run(false), IsOk());
  EXPECT_THAT(trained_, ElementsAre("trial-0002", "trial-0003", "trial-0004", "trial-0005"));
}

TEST_F(SweepRunTest, PhotosThatOneTrialAloneLearnsFromFailItAlone) {
  PlanTwoSetsOfPhotos();
  photos_go_at_ = "trial-0002";
  faults_["trial-0002"] = NotFound("photos");
  EXPECT_THAT(Run(), IsOk());
  EXPECT_THAT(FailedIn(dir_.File("sweep")), ElementsAre("trial-0002"));
}

// Settings of one trial leave it nothing to learn from, wherever it is in the plan.
TEST_F(SweepRunTest, DataThatOneTrialAloneCannotUseFailItAlone) {
  for (const char* const tries : {"data.min_photos=50,2,3", "data.min_photos=2,3,50"}) {
    PlanTwoSetsOfPhotos();
    plan_.tries = {tries};
    const std::string name = plan_.tries[0].ends_with("50") ? "trial-0003" : "trial-0001";
    faults_ = {{name, InvalidArgument("0 identities are left to train on")}};
    const auto report = Run();
    ASSERT_THAT(report, IsOk()) << tries;
    EXPECT_EQ(trained_.size(), 3u);
    EXPECT_THAT(FailedIn(dir_.File("sweep")), ElementsAre(name));
    std::filesystem::remove_all(dir_.File("sweep"));
    std::filesystem::remove_all(dir_.File("other"));
  }
}

TEST_F(SweepRunTest, ATrialThatIsLeftAndCannotUseTheDataDoesNotBlockTheSweep) {
  PlanTwoSetsOfPhotos();
  plan_.tries = {"data.min_photos=2,50"};
  stop_at_ = "trial-0002";
  ASSERT_THAT(Run(), IsOk());
  faults_["trial-0002"] = InvalidArgument("0 identities are left to train on");
  EXPECT_THAT(Run(false), IsOk());
  EXPECT_THAT(FailedIn(dir_.File("sweep")), ElementsAre("trial-0002"));
}

TEST_F(SweepRunTest, PhotosOfTheTrialThatIsNextAreTriedWhenItGoesOn) {
  PlanTwoSetsOfPhotos();
  stop_at_ = "trial-0002";
  ASSERT_THAT(Run(), IsOk());
  MovePhotos("photos", "gone");
  EXPECT_FALSE(Run(false).ok());
  EXPECT_TRUE(trained_.empty());
}

TEST_F(SweepRunTest, ATrialAloneMayHaveSeveralProcesses) {
  plan_.base.head.margin = 0.3;
  plan_.tries = {"machine.processes=1,2"};
  kills_["trial-0002"] = 2;
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->record.trials[1].state, TrialState::kDone);
}

TEST_F(SweepRunTest, ProcessesThatCannotBeStartedFailNoTrial) {
  plan_.base.machine.processes = 2;
  faults_["trial-0002"] = Status(StatusCode::kAborted, "/tmp is full");
  for (int call = 0; call < 5; ++call) EXPECT_THAT(Run(), StatusIs(StatusCode::kAborted)) << call;
  EXPECT_EQ(calls_, 6) << "the first trial once, the second once a call";
  EXPECT_THAT(FailedIn(dir_.File("sweep")), IsEmpty());
}

TEST_F(SweepRunTest, ATrialGoesOnWhereAProcessOfItWasKilled) {
  plan_.base.machine.processes = 2;
  kills_["trial-0002"] = 2;
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->record.trials[1].state, TrialState::kDone);
  EXPECT_THAT(out_.str(), HasSubstr("trial-0002: process 2 of 2 was ended by signal 9"));
}

TEST_F(SweepRunTest, ATrialWhoseProcessesAreKilledAgainAndAgainIsGivenUp) {
  plan_.base.machine.processes = 2;
  kills_["trial-0002"] = 100;
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->record.trials[1].reason, HasSubstr("ended by signal 9"));
  EXPECT_EQ(calls_, 7) << "it was tried three times";
}

TEST_F(SweepRunTest, ACardThatFailsFailsNoTrial) {
  faults_["trial-0002"] = Unavailable("cuda:0 failed");
  EXPECT_THAT(Run(), StatusIs(StatusCode::kUnavailable));
  EXPECT_EQ(trained_.size(), 2u);
  EXPECT_THAT(FailedIn(dir_.File("sweep")), IsEmpty());
}

TEST_F(SweepRunTest, ATrialThatEndsTheProgramAgainAndAgainIsGivenUp) {
  ASSERT_THAT(Run(), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(SweepRecord record, ReadSweep(dir_.File("sweep")));
  record.trials[1].state = TrialState::kBegun;
  record.trials[1].scores.clear();
  record.trials[1].ends = 3;  // killed three times since it began
  ASSERT_THAT(WriteSweep(dir_.File("sweep"), record), IsOk());
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(trained_.empty());
  EXPECT_THAT(report->record.trials[1].reason, HasSubstr("the program has ended 3 times"));
}

}  // namespace
}  // namespace facegate
