#include "trainer/sweep/sweep_run.h"

#include <cmath>
#include <csignal>
#include <map>
#include <sstream>

#include "tests/trainer/run/run_fixture.h"
#include "trainer/run/stop_on_signal.h"
#include "trainer/sweep/sweep_table.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Trials are pretended: their score is their margin, and grows with the part that is trained.
class SweepRunTest : public RunFixture {
 protected:
  SweepRunTest() {
    plan_.tries = {"head.margin=0.1..0.5:5"};
    plan_.method = SweepMethod::kGrid;
  }
  void SetUp() override {
    RunFixture::SetUp();
    plan_.base = SmallRecipe();
    plan_.base.holdout.identities = 2;
    plan_.base.holdout.pairs = 40;
  }

  StatusOr<FitReport> Pretend(const TrialPart& part) {
    const std::string name = std::filesystem::path(part.folder).filename().string();
    trained_.push_back(name);
    calls_ += 1;
    if (stop_at_ == name || calls_ == stop_at_call_) {
      stop_at_.clear();
      std::raise(SIGINT);
      EXPECT_TRUE(part.asked_to_stop());
      FitReport stopped;
      stopped.end = FitEnd::kStoppedToGoOn;
      return stopped;
    }
    if (photos_go_at_ == name) MovePhotos("photos", "gone");
    const double epochs = part.recipe.schedule.epochs;
    const double share = part.stop_at > 0.0 ? part.stop_at / epochs : 1.0;
    if (faults_.contains(name) && share >= least_share_of_faults_) return faults_[name];
    if (kills_[name] > 0) {
      kills_[name] -= 1;
      return Unavailable("process 2 of 2 was ended by signal 9 (Killed)");
    }
    FitReport report;
    report.end = share < 1.0 ? FitEnd::kStoppedAtEpoch : FitEnd::kFinished;
    report.best = *part.recipe.head.margin + 0.1 * share;
    stops_.push_back(part.stop_at);
    return report;
  }

  StatusOr<SweepReport> Run(bool with_plan = true, bool retry_failed = false) {
    out_.str("");
    trained_.clear();
    Session session({.out = out_, .progress = out_});
    SweepOptions options{.folder = dir_.File("sweep"), .plan = {}, .retry_failed = retry_failed};
    if (with_plan) options.plan = plan_;
    return RunSweep(options, session, [this](const TrialPart& part) { return Pretend(part); });
  }
  // What a sweep came to, without the time that it took.
  static std::string Outcome(StatusOr<SweepReport> report) {
    if (!report.ok()) return std::string(MessageOf(report.status()));
    for (TrialRecord& trial : report->record.trials) trial.seconds = 0.0;
    return SweepCsv(*report);
  }
  void PlanHalving() {
    plan_.tries = {"head.margin=0.1..0.9:9"};
    plan_.method = SweepMethod::kHalving;
    plan_.trials = 9;
  }
  // Those of the trials that have failed.
  static std::vector<std::string> FailedIn(const std::string& folder) {
    std::vector<std::string> names;
    const auto record = ReadSweep(folder);
    EXPECT_THAT(record, IsOk());
    if (!record.ok()) return names;
    for (const TrialRecord& trial : record->trials) {
      if (trial.state == TrialState::kFailed) names.push_back(trial.name);
    }
    return names;
  }
  void MovePhotos(const std::string& from, const std::string& to) const {
    std::filesystem::rename(dir_.File(from), dir_.File(to));
  }
  std::string Text(const std::string& name) const {
    return ReadFile(dir_.File("sweep/" + name), 1 << 24).value_or("");
  }
  static std::string BestOf(const StatusOr<SweepReport>& report) {
    const auto best = report.ok() ? BestTrial(report->record.trials) : std::nullopt;
    return best ? report->record.trials[*best].name : "none";
  }

  SweepPlan plan_;
  std::ostringstream out_;
  std::vector<std::string> trained_;
  std::vector<double> stops_;
  std::map<std::string, Status> faults_;
  double least_share_of_faults_ = 0.0;
  std::map<std::string, int> kills_;
  std::string photos_go_at_;
  std::string stop_at_;
  int calls_ = 0;  // trainings so far
  int stop_at_call_ = 0;
};

TEST_F(SweepRunTest, TrainsEachTrialAndFindsTheBest) {
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(trained_,
              ElementsAre("trial-0001", "trial-0002", "trial-0003", "trial-0004", "trial-0005"));
  EXPECT_EQ(BestOf(report), "trial-0005");
  EXPECT_THAT(Text("sweep.csv"), HasSubstr("trial,state,accuracy,epochs,best_batch,seconds,"
                                           "head.margin,reason\ntrial-0005,done,0.600000,4,"));
  Recipe best;
  ASSERT_THAT(ReadRecipe(dir_.File("sweep/best.yaml"), best), IsOk());
  EXPECT_EQ(best.head.margin, 0.5);
  EXPECT_EQ(best.holdout.identities, 2);
}

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

TEST_F(SweepRunTest, GoesOnWhereASignalStoppedIt) {
  stop_at_ = "trial-0003";
  const auto stopped = Run();
  ASSERT_THAT(stopped, IsOk());
  EXPECT_TRUE(stopped->stopped);
  EXPECT_EQ(trained_.size(), 3u);
  EXPECT_EQ(stopped->record.trials[2].state, TrialState::kBegun);
  const auto report = Run(false);
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->stopped);
  EXPECT_THAT(trained_, ElementsAre("trial-0003", "trial-0004", "trial-0005"));
  EXPECT_EQ(BestOf(report), "trial-0005");
}

TEST_F(SweepRunTest, AnotherPlanInTheFolderIsRefused) {
  ASSERT_THAT(Run(), IsOk());
  plan_.tries = {"head.margin=0.1..0.4:4"};
  const auto report = Run();
  EXPECT_THAT(report, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(report.status())),
              AllOf(HasSubstr("was begun with another plan"), HasSubstr("--try: head.margin=")));
}

TEST_F(SweepRunTest, AFolderWithOtherFilesIsRefused) {
  std::filesystem::create_directories(dir_.File("sweep"));
  ASSERT_THAT(WriteFileAtomically(dir_.File("sweep/notes.txt"), "mine"), IsOk());
  EXPECT_THAT(std::string(MessageOf(Run().status())), HasSubstr("holds other files but no sweep"));
  EXPECT_EQ(FieldOf(Run(false).status()), "--recipe");
}

TEST_F(SweepRunTest, ARecordThatIsTornIsRefused) {
  ASSERT_THAT(Run(), IsOk());
  const std::string whole = Text("sweep.json");
  for (const size_t size : {size_t{0}, whole.size() / 3, whole.size() - 3}) {
    ASSERT_THAT(WriteFileAtomically(dir_.File("sweep/sweep.json"), whole.substr(0, size)), IsOk());
    EXPECT_THAT(Run(), StatusIs(StatusCode::kDataLoss));
    EXPECT_THAT(std::string(MessageOf(Run().status())), HasSubstr("sweep.json"));
  }
}

TEST_F(SweepRunTest, MoreRandomTrialsGoOnWithThoseThatAreThere) {
  plan_.method = SweepMethod::kRandom;
  plan_.tries = {"head.margin=0.1..0.5"};
  plan_.trials = 3;
  ASSERT_THAT(Run(), IsOk());
  plan_.trials = 5;
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(trained_, ElementsAre("trial-0004", "trial-0005"));
  EXPECT_EQ(report->record.trials.size(), 5u);
}

TEST_F(SweepRunTest, HalvingTakesTheBestOfEachRoundFurther) {
  plan_.tries = {"head.margin=0.1..0.9:9"};
  plan_.method = SweepMethod::kHalving;
  plan_.trials = 9;
  plan_.base.schedule.epochs = 9.0;
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(trained_.size(), 13u);
  EXPECT_NEAR(stops_[0], 1.0, 1e-9);
  EXPECT_NEAR(stops_[9], 3.0, 1e-9);
  EXPECT_EQ(stops_[12], 0.0) << "the last is trained to the end";
  const auto best = BestTrial(report->record.trials);
  ASSERT_TRUE(best.has_value());
  EXPECT_EQ(report->record.trials[*best].settings[0].value, "0.9");
  EXPECT_EQ(trained_[12], report->record.trials[*best].name);
  int out = 0;
  for (const TrialRecord& trial : report->record.trials) out += trial.state == TrialState::kOut;
  EXPECT_EQ(out, 8);
}

TEST_F(SweepRunTest, HalvingGoesOnInTheMiddleOfARound) {
  PlanHalving();
  const std::string whole = Outcome(Run());
  ASSERT_EQ(calls_, 13);
  std::filesystem::remove_all(dir_.File("sweep"));
  calls_ = 0;
  stop_at_call_ = 11;  // 9 trials of the first round, one of the second
  const auto stopped = Run();
  ASSERT_THAT(stopped, IsOk());
  EXPECT_TRUE(stopped->stopped);
  EXPECT_EQ(Outcome(Run(false)), whole);
  EXPECT_EQ(calls_, 14) << "the one that was stopped began twice";
}

TEST_F(SweepRunTest, HalvingGoesOnWithTheSameTrialsWhereOneHasFailedInTheRound) {
  PlanHalving();
  ASSERT_THAT(Run(), IsOk());
  faults_[trained_[9]] = Internal("out of memory");
  least_share_of_faults_ = 0.3;  // the second round
  std::filesystem::remove_all(dir_.File("sweep"));
  const std::string whole = Outcome(Run());
  EXPECT_THAT(whole, HasSubstr("out of memory"));
  std::filesystem::remove_all(dir_.File("sweep"));
  calls_ = 0;
  stop_at_call_ = 11;  // the next one after it
  ASSERT_THAT(Run(), IsOk());
  EXPECT_EQ(Outcome(Run(false)), whole);
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

TEST_F(SweepRunTest, SaysThatTheScoreOfTheBestIsOptimistic) {
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(
      OptimismText(*report),
      AllOf(HasSubstr("optimistic"), HasSubstr("facegate-train eval"), HasSubstr("held-out")));
  EXPECT_THAT(Text("sweep.html"), HasSubstr("optimistic"));
  EXPECT_THAT(Text("best.yaml"), HasSubstr("optimistic"));
}

TEST_F(SweepRunTest, ThePageHasALineForEachTrialAndTheTable) {
  plan_.tries = {"head.margin=0.1..0.5:5", "card.origin=<here>,there"};
  faults_["trial-0002"] = Internal("a < b");
  ASSERT_THAT(Run(), IsOk());
  const std::string page = Text("sweep.html");
  size_t lines = 0;
  for (size_t at = 0; (at = page.find("<polyline", at)) != std::string::npos; ++at) lines += 1;
  EXPECT_EQ(lines, 10u);
  EXPECT_THAT(page, AllOf(HasSubstr("&lt;here&gt;"), Not(HasSubstr("<here>")),
                          HasSubstr("a &lt; b"), HasSubstr("trial-0010")));
}

TEST_F(SweepRunTest, ColumnsOfTheTableStandBelowEachOther) {
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  const std::string text = AlignedText(SweepRows(*report, 2));
  EXPECT_EQ(text,
            "trial       state  accuracy  epochs  head.margin\n"
            "trial-0005  done    60.00 %       4          0.5\n"
            "trial-0004  done    50.00 %       4          0.4\n");
}

}  // namespace
}  // namespace facegate
