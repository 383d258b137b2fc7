#include "trainer/run/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Status ReadText(const TempDir& dir, const std::string& yaml, Recipe& recipe) {
  EXPECT_THAT(WriteFileAtomically(dir.File("r.yaml"), yaml), IsOk());
  return ReadRecipe(dir.File("r.yaml"), recipe);
}

TEST(RecipeTest, ReadsBackWhatItWrites) {
  const TempDir dir;
  Recipe recipe;
  ASSERT_THAT(ReadText(dir,
                       "data: {train: [a, 'b c'], batch: 32, colour: bgr}\n"
                       "head:\n  kind: adaface\n  margin: 0.4\n  gradient: straight-through\n"
                       "schedule: {kind: multistep, milestones: [1.5, 3], rate: 0.02}\n"
                       "card: {training_data: \"a: 'quoted' \\\"text\\\"\"}\n",
                       recipe),
              IsOk());
  EXPECT_THAT(recipe.data.train, ElementsAre("a", "b c"));
  EXPECT_EQ(recipe.data.batch, 32);
  EXPECT_EQ(recipe.head.kind, "adaface");
  EXPECT_THAT(recipe.schedule.milestones, ElementsAre(1.5, 3.0));
  Recipe again;
  ASSERT_THAT(ReadText(dir, RecipeToYaml(recipe), again), IsOk());
  EXPECT_EQ(RecipeToYaml(again), RecipeToYaml(recipe));
  EXPECT_EQ(again.card.training_data, "a: 'quoted' \"text\"");
}

TEST(RecipeTest, HelpIsARecipeOfDefaults) {
  const TempDir dir;
  Recipe recipe;
  ASSERT_THAT(ReadText(dir, RecipeHelp(), recipe), IsOk());
  EXPECT_EQ(RecipeToYaml(recipe), RecipeToYaml(Recipe{}));
}

TEST(RecipeTest, NamesLineKeyAndLimitOfAnError) {
  const TempDir dir;
  const auto message = [&](const std::string& yaml) {
    Recipe recipe;
    const Status status = ReadText(dir, yaml, recipe);
    EXPECT_FALSE(status.ok()) << yaml;
    return std::string(MessageOf(status));
  };
  EXPECT_THAT(message("data:\n  bach: 3\n"), AllOf(HasSubstr("r.yaml:2"), HasSubstr("data.bach")));
  EXPECT_THAT(message("data:\n  batch: 1\n"), AllOf(HasSubstr("r.yaml:2"), HasSubstr("2 to")));
  EXPECT_THAT(message("data:\n  batch: many\n"), HasSubstr("whole number"));
  EXPECT_THAT(message("data:\n  batch: 8\n  batch: 9\n"), HasSubstr("twice"));
  EXPECT_THAT(message("head: {kind: arcfaces}\n"), HasSubstr("curricularface"));
  EXPECT_THAT(message("data: [1]\n"), HasSubstr("section"));
  EXPECT_THAT(message("- 1\n"), HasSubstr("sections"));
  EXPECT_THAT(message("data: {batch: [3}\n"), HasSubstr("r.yaml:1"));
  EXPECT_THAT(message("data: {balanced: 3}\n"), HasSubstr("true or false"));
  EXPECT_THAT(message("schedule: {rate: .nan}\n"), HasSubstr("must be"));
}

TEST(RecipeTest, SetsAKeyFromTheCommandLine) {
  Recipe recipe;
  EXPECT_THAT(SetRecipeKey("data.train", "photos/", "--set", recipe), IsOk());
  EXPECT_THAT(SetRecipeKey("schedule.milestones", "[1, 2]", "--set", recipe), IsOk());
  EXPECT_THAT(recipe.data.train, ElementsAre("photos/"));
  EXPECT_THAT(recipe.schedule.milestones, ElementsAre(1.0, 2.0));
  EXPECT_FALSE(SetRecipeKey("nothing.at_all", "1", "--set", recipe).ok());
}

TEST(RecipeTest, MakesPathsAbsoluteOnceAndForAll) {
  Recipe recipe;
  recipe.data.root = "/photos";
  recipe.data.train = {"a", "/b"};
  recipe.teacher.model = "../t.safetensors";
  const Recipe spelled_out = SpelledOut(recipe);
  EXPECT_THAT(spelled_out.data.train, ElementsAre("/photos/a", "/b"));
  EXPECT_EQ(spelled_out.teacher.model, "/t.safetensors");
  EXPECT_GE(spelled_out.machine.threads, 1);
  EXPECT_EQ(RecipeToYaml(SpelledOut(spelled_out)), RecipeToYaml(spelled_out));
}

// link/.. is the folder above that to which the link leads.
TEST(RecipeTest, FollowsALinkBeforeTwoDots) {
  const TempDir dir;
  std::filesystem::create_directories(dir.File("real/inner"));
  std::filesystem::create_directory_symlink(dir.File("real/inner"), dir.File("link"));
  Recipe recipe;
  recipe.data.root = dir.path();
  recipe.data.train = {"link/../faces/"};
  const std::string real = std::filesystem::canonical(dir.path());
  EXPECT_THAT(SpelledOut(recipe).data.train, ElementsAre(real + "/real/faces"));
}

TEST(RecipeTest, KeepsPathsThatMoveWithTheRoot) {
  Recipe recipe;
  recipe.data.root = "/photos";
  recipe.data.train = {"a", "/b"};
  recipe.network.init = "w.pth";
  const Recipe kept = WithRelativePaths(SpelledOut(recipe));
  EXPECT_THAT(kept.data.train, ElementsAre("a", "/b"));
  EXPECT_EQ(kept.network.init, "w.pth");
  Recipe moved = kept;
  moved.data.root = "/elsewhere";
  EXPECT_THAT(SpelledOut(moved).data.train, ElementsAre("/elsewhere/a", "/b"));
}

TEST(RecipeTest, GivesEachKindTheMarginOfItsPaper) {
  const auto margin = [](const std::string& kind, const std::string& given) {
    Recipe recipe;
    EXPECT_THAT(SetRecipeKey("head.kind", kind, "--set", recipe), IsOk());
    if (!given.empty()) {
      EXPECT_THAT(SetRecipeKey("head.margin", given, "--set", recipe), IsOk());
    }
    return SpelledOut(recipe).head.margin;
  };
  EXPECT_EQ(margin("arcface", ""), 0.5);
  EXPECT_EQ(margin("curricularface", "auto"), 0.5);
  EXPECT_EQ(margin("cosface", ""), 0.35);
  EXPECT_EQ(margin("adaface", "auto"), 0.4);
  EXPECT_EQ(margin("cosface", "0.2"), 0.2);
}

TEST(RecipeTest, SaysWhatHasNoEffect) {
  const auto sentences = [](const std::vector<std::pair<std::string, std::string>>& keys) {
    Recipe recipe;
    for (const auto& [key, value] : keys) {
      EXPECT_THAT(SetRecipeKey(key, value, "--set", recipe), IsOk()) << key;
    }
    return RecipeWarnings(SpelledOut(recipe));
  };
  EXPECT_THAT(sentences({{"head.easy_margin", "true"}}), ::testing::IsEmpty());
  EXPECT_THAT(sentences({{"head.easy_margin", "true"}, {"head.gradient", "straight-through"}}),
              ElementsAre(HasSubstr("head.easy_margin")));
  EXPECT_THAT(sentences({{"network.dropout", "0.4"}}), ElementsAre(HasSubstr("network.dropout")));
  EXPECT_THAT(sentences({{"network.dropout", "0.4"}, {"network.architecture", "iresnet-18"}}),
              ::testing::IsEmpty());
  EXPECT_THAT(sentences({{"head.linear", "true"}, {"head.kind", "cosface"}}),
              ElementsAre(HasSubstr("head.kind")));
  EXPECT_THAT(sentences({{"head.kind", "softmax"}, {"head.margin", "0.3"}}),
              ElementsAre(HasSubstr("head.margin")));
  EXPECT_THAT(sentences({{"schedule.power", "2"}, {"optimizer.final_rate", "0.2"}}),
              ElementsAre(HasSubstr("optimizer.final_rate"), HasSubstr("schedule.power")));
  EXPECT_THAT(sentences({{"machine.compress", "fp16"}}),
              ElementsAre(HasSubstr("machine.processes is above 1")));
}

TEST(RecipeTest, SaysWhichWarmUpIsTooLong) {
  Recipe recipe;
  recipe.schedule.epochs = 1.0;
  recipe.head.margin_warmup = 3.0;
  EXPECT_THAT(RecipeWarnings(recipe),
              ElementsAre(HasSubstr("schedule.warmup"), HasSubstr("head.margin_warmup")));
}

TEST(RecipeTest, NamesWhatMayHaveBeenMeant) {
  const auto message = [](const std::string& key, const std::string& value) {
    Recipe recipe;
    return std::string(MessageOf(SetRecipeKey(key, value, key + "=" + value, recipe)));
  };
  EXPECT_THAT(message("data.bach", "3"), HasSubstr("did you mean \"data.batch\"?"));
  EXPECT_THAT(message("batch", "3"), HasSubstr("did you mean \"data.batch\"?"));
  EXPECT_THAT(message("head.epochs", "3"), HasSubstr("did you mean \"schedule.epochs\"?"));
  EXPECT_THAT(message("head.kind", "arcfase"), HasSubstr("did you mean \"arcface\"?"));
  EXPECT_THAT(message("nothing.at_all", "3"), ::testing::Not(HasSubstr("did you mean")));
}

TEST(RecipeTest, SumsUpWithoutTheFoldersOfThisMachine) {
  Recipe recipe;
  recipe.data.root = "/photos";
  recipe.data.train = {"a/b", "/other/c"};
  recipe.teacher.model = "/weights/t.safetensors";
  recipe.card.training_data = "secret";
  recipe.machine.threads = 3;
  recipe.schedule.epochs = 2.5;
  EXPECT_EQ(RecipeSummary(SpelledOut(recipe)),
            "data.train: [\"a/b\", \"c\"]\n"
            "teacher.model: \"t.safetensors\"\n"
            "schedule.epochs: 2.5\n");
}

TEST(RecipeTest, SaysWhatDoesNotFitTogether) {
  Recipe good;
  good.data.train = {"a"};
  good.card.training_data = "photos of nobody";
  ASSERT_THAT(CheckRecipe(good), IsOk());
  const auto refused = [&](auto change, const std::string& word) {
    Recipe recipe = good;
    change(recipe);
    const Status status = CheckRecipe(recipe);
    EXPECT_FALSE(status.ok()) << word;
    EXPECT_THAT(std::string(MessageOf(status)), HasSubstr(word));
  };
  refused([](Recipe& r) { r.data.train.clear(); }, "data.train");
  refused([](Recipe& r) { r.data.unlabelled = {"u"}; }, "teacher.model");
  refused([](Recipe& r) { r.augment.blend = 0.1; }, "augment.blend");
  refused([](Recipe& r) { r.teacher.map_weight = 1.0; }, "teacher.map_weight");
  refused(
      [](Recipe& r) {
        r.teacher.model = "teacher.safetensors";
        r.teacher.map_weight = 1.0;
        r.network.architecture = "vit-t";
      },
      "vit-t has none");
  refused([](Recipe& r) { r.holdout.identities = 1; }, "holdout.identities");
  refused([](Recipe& r) { r.evaluate.photos = "p"; }, "evaluate.pairs");
  refused([](Recipe& r) { r.checkpoint.patience = 3; },
          "checkpoint.patience needs holdout.identities, holdout.folds of people");
  refused([](Recipe& r) { r.checkpoint.best_by = "validation"; }, "needs holdout.share");
  refused([](Recipe& r) { r.optimizer.accumulate = 3; }, "checkpoint.every");
  refused([](Recipe& r) { r.augment.low_resolution_factor = 0.5; }, "expected 0 or 1 to 64");
  refused([](Recipe& r) { r.network.freeze = {"backbone"}; }, "network.init");
  refused([](Recipe& r) { r.network.input = "224"; }, "\"224\" is not WIDTHxHEIGHT");
  refused([](Recipe& r) { r.card.training_data.clear(); }, "card.training_data");
  refused([](Recipe& r) { r.machine.device = "gpu"; }, "machine.device");
  refused(
      [](Recipe& r) {
        r.machine.device = "cpu";
        r.network.precision = "fp16";
      },
      "fp16 needs a card");
}

TEST(RecipeTest, TakesBf16AsAPrecision) {
  const TempDir dir;
  const auto precision = [&](const std::string& yaml) {
    Recipe recipe;
    EXPECT_THAT(ReadText(dir, yaml, recipe), IsOk());
    return recipe.network.precision;
  };
  EXPECT_EQ(precision("network: {bf16: true}"), "bf16");
  EXPECT_EQ(precision("network: {bf16: no}"), "fp32");
  EXPECT_EQ(precision("network: {precision: tf32}"), "tf32");
  Recipe recipe;
  EXPECT_THAT(ReadText(dir, "network: {bf16: 3}", recipe), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
