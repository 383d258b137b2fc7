// How fit judges what it learns, and what it keeps for the best.
#include <algorithm>
#include <cmath>

#include "tests/support/pair_set_files.h"
#include "tests/trainer/run/fit_fixture.h"
#include "trainer/report/run_log.h"
#include "trainer/run/fit.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// Two sets in two forms. After each evaluation the best model is that of the highest mean.
TEST_F(FitTest, KeepsTheBestByTheMeanOfItsSets) {
  WriteMemfilePairs(dir_.File("val/agedb"), MakeTestPairs(24));
  ASSERT_THAT(WriteFileAtomically(dir_.File("lfw.bin"), PairPickle(MakeTestPairs(30))), IsOk());
  Recipe recipe = SmallRecipe();
  recipe.evaluate.pairs = {dir_.File("lfw.bin"), dir_.File("val/agedb")};
  recipe.evaluate.every = 0.5;
  recipe.schedule.epochs = 2.0;
  const auto report = Run(recipe, "run");
  ASSERT_THAT(report, IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto rows, report::ReadEvaluations(dir_.File("run")));
  ASSERT_EQ(rows.size(), 10u) << "of both sets before the first batch and four times after";
  double best = 0.0;
  int64_t best_batch = 0;
  for (size_t i = 0; i < rows.size(); i += 2) {
    EXPECT_EQ(rows[i].set, "lfw");
    EXPECT_EQ(rows[i + 1].set, "agedb");
    EXPECT_FALSE(std::isnan(rows[i].threshold));
    const double mean = (rows[i].accuracy + rows[i + 1].accuracy) / 2.0;
    if (rows[i].batch == 0 || mean <= best) continue;
    best = mean;
    best_batch = rows[i].batch;
  }
  EXPECT_EQ(report->best_batch, best_batch);
  ASSERT_TRUE(report->best.has_value());
  EXPECT_DOUBLE_EQ(*report->best, best);
  EXPECT_THAT(said(), HasSubstr("mean accuracy of 2 sets"));
  const std::string page = ReadFile(dir_.File("run/report.html"), 1 << 30).value();
  EXPECT_THAT(page, ::testing::AllOf(HasSubstr("lfw"), HasSubstr("agedb")));
  std::string events;
  for (const auto& entry : std::filesystem::directory_iterator(dir_.File("run"))) {
    if (!entry.path().filename().string().starts_with("events.")) continue;
    events += ReadFile(entry.path().string(), 1 << 30).value();
  }
  for (const char* const tag : {"evaluation/lfw/roc", "evaluation/agedb/roc",
                                "evaluation/lfw/threshold", "evaluation/agedb/accuracy"}) {
    EXPECT_THAT(events, HasSubstr(tag));
  }
  // One of the sets alone, by name; another name is refused before anything is learned.
  recipe.checkpoint.best_sets = {"agedb"};
  const auto one = Run(recipe, "one", 1);
  ASSERT_THAT(one, IsOk());
  EXPECT_DOUBLE_EQ(*one->first_accuracy, rows[1].accuracy);
  recipe.checkpoint.best_sets = {"cfp"};
  EXPECT_THAT(std::string(MessageOf(Run(recipe, "other").status())),
              HasSubstr("names cfp; the evaluation sets of this run are: lfw, agedb"));
}

// Without any evaluation set the loss of the training decides, also across a stop.
TEST_F(FitTest, KeepsTheBestByTheLoss) {
  Recipe recipe = SmallRecipe();
  recipe.checkpoint.best_by = "loss";
  recipe.evaluate.every = 0.25;
  recipe.schedule.epochs = 1.0;
  const auto whole = Run(recipe, "whole");
  ASSERT_THAT(whole, IsOk());
  ASSERT_EQ(whole->best_batch, whole->batches) << "the stop below is seen there alone";
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto steps, report::ReadSteps(dir_.File("whole")));
  const auto every = static_cast<int64_t>(steps.size() / 4);
  double mean = 0.0;
  for (const auto& step : steps) {
    const bool counts = step.batch >= whole->best_batch - every && step.batch < whole->best_batch;
    if (counts) mean += step.loss / static_cast<double>(every);
  }
  EXPECT_NEAR(*whole->best, -mean, 1e-9);
  // Before the last evaluation, which counts losses from both sides of the stop.
  ASSERT_THAT(Run(recipe, "parts", whole->batches - 1), IsOk());
  const auto second = Run(recipe, "parts");
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->best, whole->best);
  EXPECT_EQ(second->best_batch, whole->best_batch);
}

// Photos that are kept from training say how the loss falls on what was not learned by heart.
TEST_F(FitTest, KeepsTheBestByTheLossOfPhotosKeptFromTraining) {
  Recipe recipe = SmallRecipe();
  recipe.holdout.share = 0.25;
  recipe.checkpoint.best_by = "validation";
  recipe.head.kind = "curricularface";  // whose state a validation must not change
  recipe.network.input.clear();
  recipe.evaluate.every = 0.5;
  recipe.schedule.epochs = 2.0;
  const auto whole = Run(recipe, "whole");
  ASSERT_THAT(whole, IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto rows, report::ReadValidation(dir_.File("whole")));
  ASSERT_EQ(rows.size(), 5u);
  EXPECT_EQ(rows.front().batch, 0);
  EXPECT_LT(rows.back().loss, rows.front().loss);
  for (const report::ValidationRow& row : rows) {
    EXPECT_LE(row.top_1, row.top_3);
    EXPECT_LE(row.top_3, row.top_5);
    EXPECT_EQ(row.top_10, 1.0) << "there are six classes";
  }
  const auto best = std::min_element(rows.begin() + 1, rows.end(),
                                     [](const auto& a, const auto& b) { return a.loss < b.loss; });
  EXPECT_EQ(whole->best_batch, best->batch);
  EXPECT_DOUBLE_EQ(*whole->best, -best->loss);
  EXPECT_THAT(said(), HasSubstr("photos kept from training: loss"));
  const std::string page = ReadFile(dir_.File("whole/report.html"), 1 << 30).value();
  EXPECT_THAT(page, HasSubstr("Loss of photos kept from training"));
  // A stop between two evaluations changes nothing.
  ASSERT_THAT(Run(recipe, "parts", 3), IsOk());
  ASSERT_THAT(Run(recipe, "parts"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto again, report::ReadValidation(dir_.File("parts")));
  ASSERT_EQ(again.size(), rows.size());
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(again[i].loss, rows[i].loss) << i;
}

// Photos, drawn faces and pairs of 112x112 have the narrow crop in their middle.
TEST_F(FitTest, TrainsOnNarrowCropsOfWiderOnes) {
  ASSERT_THAT(WriteFileAtomically(dir_.File("lfw.bin"), PairPickle(MakeTestPairs(30))), IsOk());
  Recipe recipe = SmallRecipe();
  recipe.data.alignment = "sphereface-96x112";
  recipe.network.input.clear();
  recipe.synthetic.identities = 2;
  recipe.synthetic.views = 4;
  recipe.evaluate.pairs = {dir_.File("lfw.bin")};
  recipe.schedule.epochs = 0.25;
  ASSERT_THAT(Run(recipe, "run"), IsOk()) << said();
  EXPECT_THAT(said(), ::testing::Not(HasSubstr("left out")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto rows, report::ReadEvaluations(dir_.File("run")));
  ASSERT_FALSE(rows.empty());
  EXPECT_FALSE(std::isnan(rows.back().threshold));
}

TEST_F(FitTest, SaysOneBestInItsReportAndOnItsPage) {
  Recipe recipe = SmallRecipe();
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  recipe.evaluate.every = 0.25;
  recipe.schedule.epochs = 1.0;
  recipe.checkpoint.best_by = "eer";
  const auto report = Run(recipe, "run");
  ASSERT_THAT(report, IsOk());
  ASSERT_GT(report->best_batch, 0);
  const std::string page = ReadFile(dir_.File("run/report.html"), 1 << 30).value();
  const bool is_last = report->best_batch == report->batches;
  EXPECT_THAT(page, HasSubstr(fmt::format("<td>{}</td><td>{}</td>",
                                          is_last ? "last and best" : "best", report->best_batch)));
}

TEST_F(FitTest, SaysWhyEvaluationPhotosCannotBeUsed) {
  std::string lines;
  for (size_t i = 0; i < 20; ++i) {
    lines += fmt::format("p0/{}.png p1/{}.png {}\n", i % 8, i / 3, i % 2);
  }
  ASSERT_THAT(WriteFileAtomically(dir_.File("pairs.txt"), lines), IsOk());
  for (size_t i = 0; i < kPhotos; ++i) {
    const std::string photo = fmt::format("{}/p0/{}.png", dir_.File("wide"), i);
    const std::string other = fmt::format("{}/p1/{}.png", dir_.File("wide"), i);
    for (const std::string& path : {photo, other}) {
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      ASSERT_THAT(WriteFileAtomically(path, Encode(cv::Mat::zeros(96, 250, CV_8UC3), ".png")),
                  IsOk());
    }
  }
  Recipe recipe = SmallRecipe();
  recipe.evaluate.pairs = {dir_.File("pairs.txt")};
  recipe.evaluate.photos = dir_.File("wide");
  const auto report = Run(recipe, "run");
  EXPECT_THAT(std::string(MessageOf(report.status())),
              ::testing::AllOf(HasSubstr("0 of the 20 pairs"), HasSubstr("15 times: is 250 x 96")));
}

}  // namespace
}  // namespace facegate
