#include "trainer/sweep/trial_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<TriedKey> SpaceOf(const std::vector<std::string>& texts) {
  auto space = ParseTries(texts);
  EXPECT_THAT(space, IsOk());
  return space.ok() ? *std::move(space) : std::vector<TriedKey>();
}

std::vector<std::string> TextsOf(const StatusOr<std::vector<Settings>>& trials) {
  EXPECT_THAT(trials, IsOk());
  std::vector<std::string> texts;
  if (!trials.ok()) return texts;
  for (const Settings& settings : *trials) texts.push_back(SettingsText(settings));
  return texts;
}

TEST(TrialPlanTest, TheSameSeedGivesTheSameTrials) {
  const auto space = SpaceOf({"schedule.rate=0.01..0.3:log", "head.margin=0.3,0.4,0.5"});
  const auto draw = [&](size_t trials, uint64_t seed) {
    return TextsOf(DrawTrials(space, SweepMethod::kRandom, trials, seed));
  };
  const auto ten = draw(10, 1);
  EXPECT_EQ(ten, draw(10, 1));
  EXPECT_NE(ten, draw(10, 2));
  const auto more = draw(15, 1);
  EXPECT_TRUE(std::equal(ten.begin(), ten.end(), more.begin())) << "more begin with the same";
  EXPECT_EQ(ten, TextsOf(DrawTrials(space, SweepMethod::kHalving, 10, 1)));
}

TEST(TrialPlanTest, RandomTrialsDifferAndEndWithTheValues) {
  const auto space = SpaceOf({"head.margin=0.3,0.4", "head.scale=16,32,64"});
  const auto trials = TextsOf(DrawTrials(space, SweepMethod::kRandom, 20, 1));
  EXPECT_EQ(trials.size(), 6u);
  EXPECT_EQ(std::set<std::string>(trials.begin(), trials.end()).size(), 6u);
}

TEST(TrialPlanTest, AGridHasAllCombinations) {
  const auto space = SpaceOf({"head.margin=0.3,0.4", "head.scale=16..64:2"});
  EXPECT_THAT(TextsOf(DrawTrials(space, SweepMethod::kGrid, std::nullopt, 1)),
              ElementsAre("head.margin=0.3 head.scale=16", "head.margin=0.3 head.scale=64",
                          "head.margin=0.4 head.scale=16", "head.margin=0.4 head.scale=64"));
}

TEST(TrialPlanTest, AGridSaysWhatItLacks) {
  const auto open =
      DrawTrials(SpaceOf({"schedule.rate=0.01..0.3:log"}), SweepMethod::kGrid, std::nullopt, 1);
  EXPECT_EQ(FieldOf(open.status()), "--try");
  EXPECT_THAT(std::string(MessageOf(open.status())), HasSubstr("schedule.rate=0.01..0.3:log:5"));
  const auto many = DrawTrials(SpaceOf({"head.margin=0.1..0.5:5", "head.scale=1..64:5"}),
                               SweepMethod::kGrid, 20, 1);
  EXPECT_EQ(FieldOf(many.status()), "--trials");
  EXPECT_THAT(std::string(MessageOf(many.status())), HasSubstr("25 combinations, more than 20"));
}

TEST(TrialPlanTest, RefusesNoTrials) {
  const auto space = SpaceOf({"head.margin=0.3,0.4"});
  EXPECT_EQ(FieldOf(DrawTrials(space, SweepMethod::kRandom, 0, 1).status()), "--trials");
}

TEST(TrialPlanTest, EachRoundOfHalvingKeepsTheBestAndTrainsThemLonger) {
  const auto rounds = HalvingRounds(9, 3, 0.0);
  ASSERT_EQ(rounds.size(), 3u);
  EXPECT_EQ(rounds[0].trials, 9u);
  EXPECT_NEAR(rounds[0].share, 1.0 / 9.0, 1e-12);
  EXPECT_EQ(rounds[1].trials, 3u);
  EXPECT_NEAR(rounds[1].share, 1.0 / 3.0, 1e-12);
  EXPECT_EQ(rounds[2], (SweepRound{.trials = 1, .share = 1.0}));
}

TEST(TrialPlanTest, NoRoundIsShorterThanTheLeast) {
  EXPECT_EQ(HalvingRounds(27, 3, 1.0 / 3.0).size(), 2u);
  EXPECT_EQ(HalvingRounds(27, 3, 0.5).size(), 1u);
  EXPECT_EQ(HalvingRounds(1, 3, 0.0).size(), 1u);
  EXPECT_EQ(HalvingRounds(10, 2, 0.0).back(), (SweepRound{.trials = 1, .share = 1.0}));
}

}  // namespace
}  // namespace facegate
