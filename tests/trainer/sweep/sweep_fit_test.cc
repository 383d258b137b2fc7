// Sweeps that train.
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "face/weights/model_file.h"
#include "tests/support/child_process.h"
#include "tests/trainer/run/run_fixture.h"
#include "trainer/parallel/gloo_group.h"
#include "trainer/sweep/sweep_run.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kSweepPatience(120);

class SweepFitTest : public RunFixture {
 protected:
  SweepPlan SmallPlan() const {
    SweepPlan plan;
    plan.base = SmallRecipe();
    plan.base.holdout.identities = 2;
    plan.base.holdout.pairs = 40;
    plan.base.schedule.epochs = 1.0;
    plan.tries = {"schedule.rate=0.001..0.1:log", "head.margin=0.2,0.4"};
    plan.trials = 2;
    return plan;
  }
  StatusOr<SweepReport> Run(const std::string& name, const std::optional<SweepPlan>& plan) {
    std::ostringstream out;
    Session session({.out = out, .progress = out});
    return RunSweep({.folder = dir_.File(name), .plan = plan}, session);
  }
  std::string Text(const std::string& name) const {
    return ReadFile(dir_.File(name), 1 << 26).value_or("");
  }
  static std::vector<double> ScoresOf(const SweepReport& report) {
    std::vector<double> scores;
    for (const TrialRecord& trial : report.record.trials) {
      scores.push_back(trial.score().value_or(-1.0));
    }
    return scores;
  }
};

TEST_F(SweepFitTest, EachTrialIsARunWithItsSettings) {
  const auto report = Run("sweep", SmallPlan());
  ASSERT_THAT(report, IsOk());
  for (const TrialRecord& trial : report->record.trials) {
    EXPECT_EQ(trial.state, TrialState::kDone) << trial.reason;
    const std::string folder = "sweep/" + trial.name;
    Recipe recipe;
    ASSERT_THAT(ReadRecipe(dir_.File(folder + "/recipe.yaml"), recipe), IsOk());
    EXPECT_EQ(fmt::format("{}", recipe.schedule.rate), trial.settings[0].value);
    EXPECT_THAT(ReadModelFile(dir_.File(folder + "/model.safetensors")), IsOk());
    EXPECT_THAT(Text(folder + "/fit.log"), HasSubstr("held-out accuracy"));
  }
  Recipe best;
  ASSERT_THAT(ReadRecipe(dir_.File("sweep/best.yaml"), best), IsOk());
  EXPECT_THAT(CheckRecipe(best), IsOk());
}

TEST_F(SweepFitTest, ARateThatDivergesIsATrialThatFailsAlone) {
  SweepPlan plan = SmallPlan();
  plan.tries = {"schedule.rate=0.01,1e30"};
  plan.method = SweepMethod::kGrid;
  plan.trials.reset();
  plan.base.schedule.epochs = 3.0;
  plan.base.schedule.warmup = 0.0;
  const auto report = Run("sweep", plan);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->record.trials[0].state, TrialState::kDone);
  EXPECT_EQ(report->record.trials[1].state, TrialState::kFailed);
  EXPECT_THAT(report->record.trials[1].reason, HasSubstr("no finite loss"));
}

TEST_F(SweepFitTest, HalvingComesToTheWeightsOfARunWithoutAStop) {
  SweepPlan plan = SmallPlan();
  plan.base.schedule.epochs = 2.0;
  plan.trials = 4;
  plan.method = SweepMethod::kHalving;
  plan.eta = 2;
  const auto report = Run("sweep", plan);
  ASSERT_THAT(report, IsOk());
  const auto best = BestTrial(report->record.trials);
  ASSERT_TRUE(best.has_value());
  const TrialRecord& trial = report->record.trials[*best];
  EXPECT_EQ(trial.scores.size(), 3u);

  Recipe recipe;
  ASSERT_THAT(ReadRecipe(dir_.File("sweep/" + trial.name + "/recipe.yaml"), recipe), IsOk());
  std::ostringstream out;
  Session session({.out = out, .progress = out, .threads = 1});
  ASSERT_THAT(Fit(recipe, {.directory = dir_.File("whole")}, session), IsOk());
  EXPECT_EQ(Text("whole/model.safetensors"), Text("sweep/" + trial.name + "/model.safetensors"));
}

TEST_F(SweepFitTest, AStopWhereACheckpointIsWrittenKeepsItsBest) {
  Recipe recipe = SmallPlan().base;
  recipe.checkpoint.every = 1;
  std::ostringstream out;
  Session session({.out = out, .progress = out, .threads = 1});
  const std::string folder = dir_.File("run");
  const auto stopped = Fit(recipe, {.directory = folder, .stop_at = 0.5}, session);
  ASSERT_THAT(stopped, IsOk());
  ASSERT_TRUE(stopped->best.has_value());
  const auto next = Fit(recipe, {.directory = folder, .stop_after = 1}, session);
  ASSERT_THAT(next, IsOk());
  EXPECT_EQ(next->best, stopped->best);
  EXPECT_EQ(next->best_batch, stopped->batches);
}

TEST_F(SweepFitTest, AStopThatWasReachedBeforeIsNotEvaluatedAgain) {
  const Recipe recipe = SmallPlan().base;
  std::ostringstream out;
  Session session({.out = out, .progress = out, .threads = 1});
  const FitOptions options{.directory = dir_.File("run"), .stop_at = 0.5};
  const auto stopped = Fit(recipe, options, session);
  ASSERT_THAT(stopped, IsOk());
  out.str("");
  const auto again = Fit(recipe, options, session);
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->best, stopped->best);
  EXPECT_THAT(out.str(), Not(HasSubstr("held-out accuracy")));
}

TEST_F(SweepFitTest, WeightsThatTrialsBeginWithAreNoScoreOfTheirs) {
  SweepPlan plan = SmallPlan();
  std::ostringstream out;
  Session session({.out = out, .progress = out, .threads = 1});
  const auto begun = Fit(plan.base, {.directory = dir_.File("begun")}, session);
  ASSERT_THAT(begun, IsOk());
  plan.base.network.init = begun->model;
  plan.base.network.freeze = {"backbone"};  // no trial is better than what it begins with
  plan.tries = {"schedule.rate=0.001,0.01"};
  plan.method = SweepMethod::kGrid;
  plan.trials.reset();
  const auto report = Run("sweep", plan);
  ASSERT_THAT(report, IsOk());
  for (const TrialRecord& trial : report->record.trials) EXPECT_GT(trial.best_batch, 0);
}

TEST_F(SweepFitTest, AKilledSweepComesToTheSameScores) {
  SweepPlan plan = SmallPlan();
  plan.base.schedule.epochs = 4.0;  // the second trial is killed long before its end
  const auto whole = Run("whole", plan);
  ASSERT_THAT(whole, IsOk());
  ASSERT_THAT(WriteFileAtomically(dir_.File("base.yaml"), RecipeToYaml(plan.base)), IsOk());
  const std::vector<std::string> command = {FACEGATE_TRAIN,
                                            "sweep",
                                            dir_.File("killed"),
                                            "--recipe",
                                            dir_.File("base.yaml"),
                                            "--try",
                                            plan.tries[0],
                                            "--try",
                                            plan.tries[1],
                                            "--trials",
                                            "2"};
  const auto process = ChildProcess::Start(command, dir_.File("killed.log"));
  ASSERT_THAT(process, IsOk());
  const auto deadline = std::chrono::steady_clock::now() + kSweepPatience;
  const auto has_begun = [&] {
    return std::filesystem::exists(dir_.File("killed/trial-0002/steps.csv"));
  };
  while (!has_begun() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  (*process)->Signal(SIGKILL);
  ASSERT_EQ((*process)->Wait(kSweepPatience), 128 + SIGKILL) << Text("killed.log");
  const auto again = ChildProcess::Start(command, dir_.File("again.log"));
  ASSERT_THAT(again, IsOk());
  ASSERT_EQ((*again)->Wait(kSweepPatience), 0) << Text("again.log");
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SweepRecord record, ReadSweep(dir_.File("killed")));
  EXPECT_EQ(ScoresOf({.record = record}), ScoresOf(*whole));
  EXPECT_THAT(Text("again.log"), HasSubstr("note "));
}

TEST_F(SweepFitTest, ATrialLearnsInAsManyProcessesAsItsRecipeSays) {
  if (!HasGloo()) GTEST_SKIP() << "this build's LibTorch has no Gloo";
  Recipe recipe = SmallPlan().base;
  recipe.machine.processes = 2;
  ASSERT_THAT(WriteFileAtomically(dir_.File("base.yaml"), RecipeToYaml(recipe)), IsOk());
  const auto process = ChildProcess::Start({FACEGATE_TRAIN, "sweep", dir_.File("sweep"), "--recipe",
                                            dir_.File("base.yaml"), "--try", "head.margin=0.2"},
                                           dir_.File("sweep.log"));
  ASSERT_THAT(process, IsOk());
  ASSERT_EQ((*process)->Wait(kSweepPatience), 0) << Text("sweep.log");
  EXPECT_THAT(Text("sweep/trial-0001/fit.log"), HasSubstr("2 processes"));
}

TEST_F(SweepFitTest, StopsWithACheckpointWhenAsked) {
  Recipe recipe = SmallPlan().base;
  recipe.schedule.epochs = 1000.0;
  ASSERT_THAT(WriteFileAtomically(dir_.File("base.yaml"), RecipeToYaml(recipe)), IsOk());
  const auto process = ChildProcess::Start({FACEGATE_TRAIN, "sweep", dir_.File("sweep"), "--recipe",
                                            dir_.File("base.yaml"), "--try", "head.margin=0.2,0.4"},
                                           dir_.File("sweep.log"));
  ASSERT_THAT(process, IsOk());
  const auto deadline = std::chrono::steady_clock::now() + kSweepPatience;
  while (!std::filesystem::exists(dir_.File("sweep/trial-0001/best.safetensors")) &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  (*process)->Signal(SIGINT);
  EXPECT_EQ((*process)->Wait(kSweepPatience), 0) << Text("sweep.log");
  EXPECT_THAT(Text("sweep.log"), HasSubstr("to go on"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SweepRecord record, ReadSweep(dir_.File("sweep")));
  EXPECT_EQ(record.trials[0].state, TrialState::kBegun);
}

}  // namespace
}  // namespace facegate
