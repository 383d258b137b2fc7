#include "trainer/sweep/scoring.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ScoringTest : public ::testing::Test {
 protected:
  ScoringTest() {
    plan_.base.data.train = {"/faces"};
    plan_.base.card.training_data = "faces";
    plan_.tries = {"head.margin=0.3,0.4"};
  }
  // A list of pairs of photos, as evaluate.pairs takes it.
  std::string WritePairs(const std::string& name) const {
    std::string text;
    for (int i = 0; i < 20; ++i) text += fmt::format("{0}a.png {0}b.png {1}\n", i, i % 2);
    EXPECT_THAT(WriteFileAtomically(dir_.File(name), text), IsOk());
    return dir_.File(name);
  }
  StatusOr<Scoring> Score() const {
    FACEGATE_ASSIGN_OR_RETURN(const auto space, ParseTries(plan_.tries));
    return ScoringOf(plan_, space);
  }
  std::string Error(const std::string& field) const {
    const auto scoring = Score();
    EXPECT_EQ(FieldOf(scoring.status()), field);
    return std::string(MessageOf(scoring.status()));
  }

  const TempDir dir_;
  SweepPlan plan_;
};

TEST_F(ScoringTest, PeopleWhoAreHeldOutCount) {
  plan_.base.holdout.identities = 4;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Scoring scoring, Score());
  EXPECT_THAT(scoring.sets, ElementsAre("held-out"));
}

// A recipe often evaluates by the sets that papers test with.
TEST_F(ScoringTest, NoTrialOpensASetThatIsNotNamed) {
  plan_.base.holdout.identities = 4;
  plan_.base.evaluate.pairs = {dir_.File("lfw.bin")};  // it is not even there
  plan_.base.checkpoint.best_sets = {"lfw"};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Scoring scoring, Score());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Recipe trial, TrialRecipe(plan_, scoring, {{.key = "head.margin", .value = "0.3"}}));
  EXPECT_THAT(trial.evaluate.pairs, IsEmpty());
  EXPECT_THAT(trial.checkpoint.best_sets, ElementsAre("held-out"));
  EXPECT_EQ(trial.head.margin, 0.3);
}

TEST_F(ScoringTest, SetsOfPairsAloneAreNoScore) {
  plan_.base.evaluate.pairs = {WritePairs("lfw.txt")};
  EXPECT_THAT(Error("--score-by"),
              AllOf(HasSubstr("no holdout.folds of people"), HasSubstr("kept from training"),
                    HasSubstr("one that is a test set must not")));
}

TEST_F(ScoringTest, ASetThatIsNamedCountsAlone) {
  plan_.base.holdout.identities = 4;
  plan_.base.evaluate.pairs = {WritePairs("test.txt"), WritePairs("agedb.txt")};
  plan_.base.evaluate.photos = dir_.path().string();
  plan_.score_by = {"agedb"};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Scoring scoring, Score());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Recipe trial, TrialRecipe(plan_, scoring, {}));
  EXPECT_THAT(trial.evaluate.pairs, ElementsAre(dir_.File("agedb.txt")));
  EXPECT_THAT(trial.checkpoint.best_sets, ElementsAre("agedb"));
}

TEST_F(ScoringTest, NamesTheSetsThatThereAre) {
  plan_.base.evaluate.pairs = {WritePairs("agedb.txt")};
  plan_.score_by = {"agdb"};
  EXPECT_THAT(Error("--score-by"), HasSubstr("names agdb; the sets of this recipe are: agedb"));
}

TEST_F(ScoringTest, WhatDecidesWhoIsHeldOutCannotBeTried) {
  plan_.base.holdout.identities = 4;
  for (const char* const tried :
       {"network.seed=1,2", "data.train=a,b", "holdout.identities=2..8", "data.min_photos=1,5"}) {
    plan_.tries = {tried};
    EXPECT_THAT(Error("--try"), HasSubstr("decides who is held out")) << tried;
  }
  plan_.base.evaluate.pairs = {WritePairs("agedb.txt")};
  plan_.score_by = {"agedb"};
  plan_.tries = {"network.seed=1,2"};
  EXPECT_THAT(Score(), IsOk()) << "the pairs are the same for all seeds";
}

TEST_F(ScoringTest, WhatAScoreIsCannotBeTried) {
  plan_.base.holdout.identities = 4;
  for (const char* const tried : {"checkpoint.best_by=tar,eer", "evaluate.mirror=true,false"}) {
    plan_.tries = {tried};
    EXPECT_THAT(Error("--try"), HasSubstr("decides how a trial is scored")) << tried;
  }
}

TEST_F(ScoringTest, TheLossOfTheTrainingIsNoScore) {
  plan_.base.holdout.identities = 4;
  plan_.base.checkpoint.best_by = "loss";
  EXPECT_THAT(Error("checkpoint.best_by"),
              HasSubstr("losses of other settings are not comparable"));
}

TEST_F(ScoringTest, AnEerIsShownAsItIs) {
  EXPECT_EQ(ScoreText({.measure = "eer", .sets = {}, .pairs = {}}, -0.0525), "5.25 %");
  EXPECT_EQ(ScoreText({.measure = "accuracy", .sets = {}, .pairs = {}}, 0.931), "93.10 %");
}

}  // namespace
}  // namespace facegate
