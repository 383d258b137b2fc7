#include "trainer/sweep/sweep_run.h"

#include "tests/trainer/sweep/sweep_fixture.h"
#include "trainer/sweep/sweep_table.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST_F(SweepRunTest, SaysThatTheScoreOfTheBestIsOptimistic) {
  const auto report = Run();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(
      OptimismText(*report),
      AllOf(HasSubstr("optimistic"), HasSubstr("facegate-train eval"), HasSubstr("held-out")));
  EXPECT_THAT(Text("sweep.html"), HasSubstr("optimistic"));
  EXPECT_THAT(Text("best.yaml"), HasSubstr("optimistic"));
}

// Sets are called as their files are.
TEST_F(SweepRunTest, NamesOfSetsAreOneLineOfTheBestRecipe) {
  auto report = Run();
  ASSERT_THAT(report, IsOk());
  report->scoring.sets = {"lfw\nmachine: {device: cuda}\n#"};
  EXPECT_THAT(BestRecipeYaml(*report),
              AllOf(HasSubstr(R"(lfw\x0amachine)"), Not(HasSubstr("\nmachine: {device"))));
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
  EXPECT_EQ(AlignedText({{"a\x1b[2J", "b\nc"}}), "a\\x1b[2J  b\\x0ac\n");
}

}  // namespace
}  // namespace facegate
