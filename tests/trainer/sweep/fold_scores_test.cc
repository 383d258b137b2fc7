#include "trainer/sweep/fold_scores.h"

#include "tests/trainer/sweep/sweep_fixture.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Trials are pretended: the folds differ, and more so with the larger margin.
class FoldScoresTest : public SweepRunTest {
 protected:
  void SetUp() override {
    SweepRunTest::SetUp();
    plan_.base.holdout = {.pairs = 40, .folds = 3, .fold_by = "people"};
    plan_.tries = {"holdout.fold=0,1,2", "head.margin=0.3,0.5"};
  }
  StatusOr<SweepReport> RunFolds() {
    out_.str("");
    Session session({.out = out_, .progress = out_});
    return RunSweep({.folder = dir_.File("sweep"), .plan = plan_}, session,
                    [this](const TrialPart& part) -> StatusOr<FitReport> {
                      const auto fold = static_cast<double>(part.recipe.holdout.fold);
                      if (part.recipe.holdout.fold == fault_) return DataLoss("no finite loss");
                      const double margin = part.recipe.head.margin.value_or(0.0);
                      FitReport report;
                      report.best = 0.6 + (margin > 0.4 ? 0.4 * (fold - 1.0) : 0.1 * fold);
                      if (part.recipe.checkpoint.best_by == "validation") report.best = -fold;
                      return report;
                    });
  }
  std::string Refusal() {
    const auto report = RunFolds();
    return FieldOf(report.status()) + ": " + std::string(MessageOf(report.status()));
  }

  int64_t fault_ = -1;
};

// The best fold is that of other settings.
TEST_F(FoldScoresTest, TheBestMeanIsTheBest) {
  const auto report = RunFolds();
  ASSERT_THAT(report, IsOk());
  const std::vector<FoldScores> all = ScoresOverFolds(*report);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_THAT(all[0].settings, ElementsAre(Setting{.key = "head.margin", .value = "0.3"}));
  EXPECT_THAT(all[0].scores, ElementsAre(0.6, 0.7, 0.8));
  EXPECT_NEAR(all[0].mean, 0.7, 1e-12);
  EXPECT_NEAR(all[0].deviation, 0.1, 1e-12);
  EXPECT_NEAR(all[1].deviation, 0.4, 1e-12);
  EXPECT_EQ(FoldText(report->scoring, all[0]), "accuracy 70.00 ± 10.00 % over 3 folds");
  EXPECT_THAT(FoldRows(*report)[1], ElementsAre("3 of 3", "70.00 %", "10.00 %", "0.3"));
  EXPECT_THAT(Text("sweep.html"), HasSubstr("70.00 ± 10.00 %"));
  Recipe best;
  ASSERT_THAT(ReadRecipe(dir_.File("sweep/best.yaml"), best), IsOk());
  EXPECT_EQ(best.head.margin, 0.3);
  EXPECT_EQ(best.holdout.fold, 0);
}

TEST_F(FoldScoresTest, TheBestIsOfSettingsAndOfAFold) {
  const auto report = RunFolds();
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(OptimismText(*report), HasSubstr("the best of 2 settings on"));
  EXPECT_THAT(Text("best.yaml"), HasSubstr("keeps a fold from training, holdout.fold"));
}

// As best.yaml says it.
TEST_F(FoldScoresTest, TheBestLearnsFromAllWithTheKeysThatAreNamed) {
  plan_.tries = {"holdout.fold=0,1,2"};
  plan_.base.checkpoint.patience = 3;
  ASSERT_THAT(RunFolds(), IsOk());
  EXPECT_THAT(Text("best.yaml"), HasSubstr("has holdout.folds 0 and checkpoint.patience 0.\n"));
  Recipe best;
  ASSERT_THAT(ReadRecipe(dir_.File("sweep/best.yaml"), best), IsOk());
  best.holdout.folds = 0;
  EXPECT_THAT(CheckRecipe(best), StatusIs(StatusCode::kInvalidArgument));
  best.checkpoint.patience = 0;
  EXPECT_THAT(CheckRecipe(best), IsOk());
}

TEST_F(FoldScoresTest, TheBestByLossLearnsFromAllByAnother) {
  plan_.tries = {"holdout.fold=0,1,2"};
  plan_.base.holdout.fold_by = "photos";
  plan_.base.checkpoint.best_by = "validation";
  plan_.base.checkpoint.patience = 3;
  ASSERT_THAT(RunFolds(), IsOk());
  EXPECT_THAT(Text("best.yaml"), HasSubstr("has holdout.folds 0 and checkpoint.best_by loss.\n"));
  Recipe best;
  ASSERT_THAT(ReadRecipe(dir_.File("sweep/best.yaml"), best), IsOk());
  best.holdout.folds = 0;
  EXPECT_THAT(CheckRecipe(best), StatusIs(StatusCode::kInvalidArgument));
  best.checkpoint.best_by = "loss";
  EXPECT_THAT(CheckRecipe(best), IsOk());
}

TEST_F(FoldScoresTest, OneFoldHasNoDeviation) {
  plan_.tries = {"holdout.fold=1"};
  const auto report = RunFolds();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(facegate::BestOf(*report)->score, "accuracy 70.00 % over 1 fold");
  EXPECT_EQ(FoldRows(*report)[1][2], "");
}

TEST_F(FoldScoresTest, AMeanWithoutAFoldIsNotTheBest) {
  fault_ = 2;
  const auto report = RunFolds();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(ScoresOverFolds(*report)[0].scores.size(), 2U);
  EXPECT_FALSE(BestOverFolds(*report).has_value());
  EXPECT_EQ(Text("best.yaml"), "");
}

TEST_F(FoldScoresTest, TheLossOverFoldsOfPhotosIsAMeasure) {
  plan_.base.holdout.fold_by = "photos";
  plan_.base.checkpoint.best_by = "validation";
  EXPECT_THAT(Refusal(), HasSubstr("losses of other settings are not comparable"));
  plan_.tries = {"holdout.fold=0,1,2"};
  const auto report = RunFolds();
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(facegate::BestOf(*report)->score, "validation 1.0000 ± 1.0000 over 3 folds");
  EXPECT_THAT(OptimismText(*report), HasSubstr("No setting was chosen"));
}

TEST_F(FoldScoresTest, RefusesFoldsThatCannotBeCompared) {
  plan_.method = SweepMethod::kRandom;
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("--method: "), HasSubstr("must be grid")));
  plan_.method = SweepMethod::kGrid;
  plan_.base.holdout.folds = 0;
  plan_.base.holdout.identities = 2;
  EXPECT_THAT(Refusal(), HasSubstr("--try: holdout.fold needs holdout.folds"));
  plan_.base.holdout = {.pairs = 40, .folds = 3, .fold_by = "people"};
  plan_.tries = {"holdout.folds=2,3"};
  EXPECT_THAT(Refusal(), HasSubstr("decides who is held out"));
}

}  // namespace
}  // namespace facegate
