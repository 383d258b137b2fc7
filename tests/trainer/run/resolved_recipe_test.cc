#include "trainer/run/resolved_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

ResolvedRecipe Resolve(const Recipe& recipe) {
  const auto resolved =
      ResolveRecipe(SpelledOut(recipe), {.identities = 7, .batches_per_epoch = 100});
  EXPECT_THAT(resolved, IsOk());
  return *resolved;
}

TEST(ResolvedRecipeTest, IsNeverAllWarmUp) {
  for (const double epochs : {0.2, 1.0, 1.5}) {
    Recipe recipe;
    recipe.schedule.epochs = epochs;
    const ScheduleOptions schedule = Resolve(recipe).training.schedule;
    EXPECT_LE(2 * schedule.warmup, schedule.total) << epochs;
  }
}

TEST(ResolvedRecipeTest, CountsEpochsInUpdates) {
  Recipe recipe;
  recipe.schedule.epochs = 3.0;
  recipe.schedule.warmup = 0.5;
  recipe.head.margin_warmup = 1.0;
  recipe.schedule.milestones = {1.0, 2.0};
  recipe.optimizer.accumulate = 2;
  const TrainingOptions training = Resolve(recipe).training;
  EXPECT_EQ(training.schedule.total, 150);
  EXPECT_EQ(training.schedule.warmup, 25);
  EXPECT_EQ(training.margin_warmup, 100);
  EXPECT_THAT(training.schedule.milestones, ElementsAre(50, 100));
}

TEST(ResolvedRecipeTest, FillsInTheHead) {
  Recipe recipe;
  recipe.network.architecture = "mobilefacenet-512";
  recipe.network.seed = 5;
  recipe.head.kind = "cosface";
  recipe.head.gradient = "straight-through";
  const ClassHeadOptions head = Resolve(recipe).training.head;
  EXPECT_EQ(head.classes, 7);
  EXPECT_EQ(head.embedding_size, 512);
  EXPECT_EQ(head.seed, 5U);
  EXPECT_EQ(head.margin.margin, 0.35);
  EXPECT_EQ(head.margin.gradient, MarginGradient::kStraightThrough);
}

TEST(ResolvedRecipeTest, OneSeedAndOneRateServeAllThatNeedThem) {
  Recipe recipe;
  recipe.network.seed = 5;
  recipe.schedule.rate = 0.3;
  EXPECT_EQ(DataOptionsOf(recipe).seed, 5U);
  const TrainingOptions training = Resolve(recipe).training;
  EXPECT_EQ(training.seed, 5U);
  EXPECT_EQ(training.schedule.base, 0.3);
  EXPECT_EQ(training.optimizer.base_rate, 0.3);
}

TEST(ResolvedRecipeTest, RefusesAnArchitectureThatIsNotThere) {
  Recipe recipe;
  recipe.network.architecture = "iresnet-60";
  EXPECT_THAT(ResolveRecipe(SpelledOut(recipe), {.identities = 7, .batches_per_epoch = 1}),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(ResolvedRecipeTest, ANetworkMayTakeLargerPictures) {
  Recipe recipe;
  recipe.network.architecture = "irse-50";
  recipe.network.input = "224x160";
  const ResolvedRecipe resolved = Resolve(recipe);
  EXPECT_EQ(resolved.training.architecture, "irse-50@224x160");
  EXPECT_EQ(resolved.preprocessing.input_width, 224);
  EXPECT_EQ(resolved.preprocessing.input_height, 160);
  EXPECT_TRUE(resolved.preprocessing.letterbox);
}

TEST(ResolvedRecipeTest, TheSizeThatANetworkHasNeedsNoWord) {
  Recipe recipe;
  recipe.network.architecture = "irse-50";
  recipe.network.input = "112x112";
  EXPECT_EQ(Resolve(recipe).training.architecture, "irse-50");
}

TEST(ResolvedRecipeTest, TheRateGrowsWithTheBatchBetweenItsLimits) {
  Recipe recipe;
  recipe.schedule.rate = 0.01;
  recipe.schedule.rate_batch = 64;
  recipe.data.batch = 128;
  recipe.optimizer.accumulate = 2;
  const auto rate = [&] { return Resolve(recipe).training.schedule.base; };
  EXPECT_DOUBLE_EQ(rate(), 0.04);
  recipe.schedule.rate_most = 0.03;
  EXPECT_DOUBLE_EQ(rate(), 0.03);
  recipe.schedule.rate_batch = 0;
  EXPECT_DOUBLE_EQ(rate(), 0.01);
}

TEST(ResolvedRecipeTest, NetworksAreFedAsTheRecipeSays) {
  Recipe recipe;
  recipe.data.values = "unit";
  recipe.data.alignment = "sphereface-96x112";
  const Preprocessing made = Resolve(recipe).preprocessing;
  EXPECT_EQ(made.mean[0], 0.0F);
  EXPECT_FLOAT_EQ(made.scale[2] * 255.0F, 1.0F);
  EXPECT_EQ(made.alignment, AlignmentTemplate::kSphereFace96x112);
  EXPECT_TRUE(made.letterbox);
  EXPECT_EQ(made.input_width, 112);
}

TEST(ResolvedRecipeTest, SaysHowTheMachineSavesMemoryAndBytes) {
  Recipe recipe;
  EXPECT_FALSE(Resolve(recipe).training.recompute);
  EXPECT_FALSE(Resolve(recipe).training.narrow_gradients);
  recipe.machine.recompute = true;
  recipe.machine.compress = "fp16";
  EXPECT_TRUE(Resolve(recipe).training.recompute);
  EXPECT_TRUE(Resolve(recipe).training.narrow_gradients);
}

}  // namespace
}  // namespace facegate
