#include "trainer/run/judge.h"

#include <cmath>
#include <sstream>

#include "tests/trainer/run/run_fixture.h"
#include "trainer/run/fit_checkpoints.h"

namespace facegate {
namespace {

// A run that is open before its first batch, with pairs to be judged by.
class JudgeTest : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    Recipe recipe = SmallRecipe();
    recipe.holdout.identities = 2;
    recipe.holdout.pairs = 40;
    recipe.checkpoint.patience = 2;
    FACEGATE_ASSERT_OK_AND_ASSIGN(facts_, OpenRunFacts(SpelledOut(recipe)));
    FACEGATE_ASSERT_OK_AND_ASSIGN(directory_,
                                  RunDirectory::Open(dir_.File("run"), RecipeToYaml(recipe), ""));
    ASSERT_THAT(directory_->Freeze(), IsOk());
    FACEGATE_ASSERT_OK_AND_ASSIGN(learner_, Learner::Create(facts_, session_));
    FACEGATE_ASSERT_OK_AND_ASSIGN(log_, report::RunLog::Open(directory_->path(), 0));
  }
  Judge Make(const Standing& standing = {}) {
    return {{.facts = facts_,
             .session = session_,
             .directory = *directory_,
             .learner = *learner_,
             .log = *log_,
             .guard = guard_},
            standing};
  }

  std::ostringstream out_;
  Session session_{{.out = out_, .progress = out_, .threads = 1}};
  RunFacts facts_;
  std::unique_ptr<RunDirectory> directory_;
  std::unique_ptr<Learner> learner_;
  std::unique_ptr<report::RunLog> log_;
  TrainingGuard guard_{kPeople, 0};
};

TEST_F(JudgeTest, RandomWeightsAreNoBest) {
  Judge judge = Make();
  ASSERT_THAT(judge.Evaluate(), IsOk());
  EXPECT_TRUE(judge.standing().first_accuracy.has_value());
  EXPECT_FALSE(judge.standing().best.has_value());
  EXPECT_EQ(judge.scores().size(), 1U);
}

TEST_F(JudgeTest, WeightsThatItBeganWithAreToBeBeaten) {
  learner_->set_begun_with("a model");
  Judge judge = Make();
  ASSERT_THAT(judge.Evaluate(), IsOk());
  EXPECT_TRUE(judge.standing().best.has_value());
  EXPECT_FALSE(std::filesystem::exists(directory_->File("best.safetensors")));
}

TEST_F(JudgeTest, IsOutOfPatienceWhenNothingGotBetter) {
  Standing standing;
  standing.best = 1.0;
  standing.without_better = 1;
  learner_->set_begun_with("a model");
  Judge judge = Make(standing);
  EXPECT_FALSE(judge.out_of_patience());
  ASSERT_THAT(judge.Evaluate(), IsOk());
  EXPECT_EQ(judge.standing().without_better, 2);
  EXPECT_TRUE(judge.out_of_patience());
}

TEST_F(JudgeTest, TheMeanLossSinceTheLastEvaluationMayDecide) {
  facts_.recipe.best_by = "loss";
  learner_->set_begun_with("a model");
  Judge judge = Make();
  ASSERT_THAT(judge.Evaluate(), IsOk());
  EXPECT_FALSE(judge.standing().best.has_value()) << "nothing was learned yet";
  judge.AddLoss(2.0);
  judge.AddLoss(3.0);
  ASSERT_THAT(judge.Evaluate(), IsOk());
  EXPECT_EQ(judge.standing().best, -2.5);
  judge.AddLoss(2.75);
  ASSERT_THAT(judge.Evaluate(), IsOk());
  EXPECT_EQ(judge.standing().best, -2.5);
  EXPECT_EQ(judge.standing().without_better, 1);
}

TEST_F(JudgeTest, WhatIsNoNumberIsNotBetter) {
  facts_.recipe.best_by = "loss";
  Judge judge = Make();
  judge.AddLoss(std::nan(""));
  ASSERT_THAT(judge.Evaluate(), IsOk());
  EXPECT_FALSE(judge.standing().best.has_value());
  EXPECT_EQ(judge.standing().without_better, 0) << "there is nothing to be better than";
  learner_->set_begun_with("a model");
  judge.AddLoss(2.0);
  ASSERT_THAT(judge.Evaluate(), IsOk());
  for (const double loss : {std::nan(""), -HUGE_VAL}) {
    judge.AddLoss(loss);
    ASSERT_THAT(judge.Evaluate(), IsOk());
  }
  EXPECT_EQ(judge.standing().best, -2.0);
  EXPECT_TRUE(judge.out_of_patience());
}

TEST_F(JudgeTest, WhatWasEvaluatedIsNotEvaluatedAgainAtTheEnd) {
  Judge judge = Make();
  ASSERT_THAT(judge.Evaluate(), IsOk());
  out_.str("");
  ASSERT_THAT(judge.WriteLast(), IsOk());
  EXPECT_EQ(out_.str(), "");
}

TEST_F(JudgeTest, TheLastModelHasItsFiguresInItsCard) {
  Judge judge = Make();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string path, judge.WriteLast());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile model, ReadModelFile(path));
  ASSERT_EQ(model.card.accuracy.size(), 1U);
  EXPECT_EQ(model.card.training_data, "blobs");
}

// What the first set said is not compared with the mean of two.
TEST_F(JudgeTest, TheBestOfOtherSetsIsForgotten) {
  ASSERT_THAT(learner_->training().Save(directory_->CheckpointPath(1),
                                        {{"photos_digest", facts_.data.digest},
                                         {"best", "0.9"},
                                         {"best_batch", "0"},
                                         {"first_accuracy", "0.6"}}),
              IsOk());
  FitCheckpoints one(facts_, *directory_, *learner_);
  FACEGATE_ASSERT_OK_AND_ASSIGN(Standing standing, one.Resume(session_));
  EXPECT_EQ(standing.best, 0.9);
  facts_.data.sets.push_back(facts_.data.sets.front());
  facts_.best_sets = {0, 1};
  FitCheckpoints two(facts_, *directory_, *learner_);
  FACEGATE_ASSERT_OK_AND_ASSIGN(standing, two.Resume(session_));
  EXPECT_FALSE(standing.best.has_value());
  EXPECT_FALSE(standing.first_accuracy.has_value());
  EXPECT_THAT(out_.str(), ::testing::HasSubstr("chosen by other evaluation sets"));
}

TEST_F(JudgeTest, NothingIsKeptBeforeTheFirstBatch) {
  FitCheckpoints checkpoints(facts_, *directory_, *learner_);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Standing standing, checkpoints.Resume(session_));
  ASSERT_THAT(checkpoints.Save(standing, *log_), IsOk());
  EXPECT_TRUE(directory_->Checkpoints()->empty());
}

}  // namespace
}  // namespace facegate
