#include "trainer/run/fit.h"

#include <sstream>

#include "face/base/device.h"
#include "face/network/architecture.h"
#include "face/torch/find_cuda.h"
#include "face/weights/model_file.h"
#include "face/weights/safetensors.h"
#include "tests/trainer/report/event_reader.h"
#include "tests/trainer/run/fit_fixture.h"
#include "trainer/report/network_graph.h"
#include "trainer/report/run_log.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST_F(FitTest, LearnsAndWritesAModelThatLoads) {
  Recipe recipe = SmallRecipe();
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  recipe.evaluate.every = 2.0;
  recipe.checkpoint.best_by = "tar";
  const auto report = Run(recipe, "run");
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(said(),
              HasSubstr("which 20 impostor pairs of held-out do not show: 1000 are needed"));
  EXPECT_THAT(said(), HasSubstr("% (not measured: 20 impostor pairs are too few)"));
  EXPECT_EQ(report->end, FitEnd::kFinished);
  EXPECT_EQ(report->batches, 32);
  const auto model = ReadModelFile(report->model);
  ASSERT_THAT(model, IsOk());
  EXPECT_EQ(model->card.training_data, "blobs");
  ASSERT_EQ(model->card.accuracy.size(), 1u);
  EXPECT_THAT(ReadModelFile(dir_.File("run/best.safetensors")), IsOk());
  const auto steps = report::ReadSteps(dir_.File("run"));
  ASSERT_THAT(steps, IsOk());
  ASSERT_EQ(steps->size(), 32u);
  const auto mean_loss = [&](size_t begin) {
    double sum = 0.0;
    for (size_t i = begin; i < begin + 8; ++i) sum += (*steps)[i].loss / 8.0;
    return sum;
  };
  EXPECT_LT(mean_loss(24), mean_loss(0));
  const auto evaluations = report::ReadEvaluations(dir_.File("run"));
  ASSERT_THAT(evaluations, IsOk());
  EXPECT_EQ(evaluations->size(), 3u) << "before the first batch and twice after";
  EXPECT_TRUE(std::filesystem::exists(dir_.File("run/report.html")));
}

TEST_F(FitTest, GoesOnToTheBitAfterAStop) {
  const Recipe recipe = SmallRecipe();
  const auto whole = Run(recipe, "whole");
  ASSERT_THAT(whole, IsOk());
  const auto first = Run(recipe, "parts", 7);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->end, FitEnd::kStoppedToGoOn);
  EXPECT_EQ(first->batches, 7);
  const auto second = Run(recipe, "parts");
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->resumed_at, 7);
  EXPECT_EQ(ReadFile(whole->model, 1 << 30).value(), ReadFile(second->model, 1 << 30).value());
  const auto steps = report::ReadSteps(dir_.File("parts"));
  ASSERT_THAT(steps, IsOk());
  for (size_t i = 0; i < steps->size(); ++i) EXPECT_EQ((*steps)[i].batch, static_cast<int64_t>(i));
}

TEST_F(FitTest, StopsAtAnEpochWithAScoreAndGoesOnToTheBit) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 1.0;
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  const auto whole = Run(recipe, "whole");
  ASSERT_THAT(whole, IsOk());
  std::ostringstream out;
  Session session({.out = out, .progress = out, .threads = 1});
  int64_t batches = 0;
  const auto first = Fit(recipe,
                         {.directory = dir_.File("parts"),
                          .stop_at = 0.5,
                          .on_batch = [&](int64_t done, int64_t) { batches = done; }},
                         session);
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->end, FitEnd::kStoppedAtEpoch);
  EXPECT_EQ(first->batches, 4);
  EXPECT_EQ(batches, 4);
  EXPECT_TRUE(first->best.has_value()) << "it is evaluated every epoch, and here";
  EXPECT_TRUE(first->model.empty());
  const auto second = Run(recipe, "parts");
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(ReadFile(whole->model, 1 << 30).value(), ReadFile(second->model, 1 << 30).value());
}

TEST_F(FitTest, DoesNotDependOnLoaderThreads) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 1.0;
  const auto one = Run(recipe, "one");
  recipe.machine.loader_threads = 4;
  const auto four = Run(recipe, "four");
  ASSERT_TRUE(one.ok() && four.ok());
  EXPECT_EQ(ReadFile(one->model, 1 << 30).value(), ReadFile(four->model, 1 << 30).value());
}

TEST_F(FitTest, FallsBackToTheCheckpointBeforeATornOne) {
  const Recipe recipe = SmallRecipe();
  ASSERT_THAT(Run(recipe, "run", 8), IsOk());
  const std::string newest = dir_.File("run/checkpoints/batch-000000008.safetensors");
  const auto bytes = ReadFile(newest, 1 << 30);
  ASSERT_THAT(bytes, IsOk());
  ASSERT_THAT(WriteFileAtomically(newest, bytes->substr(0, bytes->size() / 2)), IsOk());
  const auto report = Run(recipe, "run", 1);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->resumed_at, 6);
  EXPECT_THAT(said(), HasSubstr("cannot be used"));
}

TEST_F(FitTest, RefusesOtherPhotosThanItBeganWith) {
  const Recipe recipe = SmallRecipe();
  ASSERT_THAT(Run(recipe, "run", 2), IsOk());
  std::filesystem::remove(dir_.File("photos/p0/0.png"));
  EXPECT_THAT(Run(recipe, "run"), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(FitTest, NamesABadPhotoAndGoesOn) {
  ASSERT_THAT(WriteFileAtomically(dir_.File("photos/p1/3.png"), "no picture"), IsOk());
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 1.0;
  ASSERT_THAT(Run(recipe, "run"), IsOk());
  EXPECT_THAT(said(), HasSubstr("p1/3.png"));
}

// The patience was given to a call that did not take it, and nobody saw that training never ended.
TEST_F(FitTest, EndsEarlyWhenNothingGetsBetter) {
  Recipe recipe = SmallRecipe();
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  recipe.evaluate.every = 0.25;
  recipe.checkpoint.patience = 2;
  recipe.schedule.epochs = 100.0;
  recipe.schedule.rate = 1e-12;
  const auto report = Run(recipe, "run");
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->end, FitEnd::kStoppedEarly);
  EXPECT_LE(report->batches, 12);
  EXPECT_FALSE(report->model.empty());
}

// Out of patience in the middle of a group, it aborted, and so did the next call.
TEST_F(FitTest, EndsEarlyAtAnUpdate) {
  Recipe recipe = SmallRecipe();
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  recipe.evaluate.every = 0.125;  // a batch
  recipe.checkpoint.patience = 1;
  recipe.schedule.epochs = 100.0;
  recipe.schedule.rate = 1e-12;
  recipe.optimizer.accumulate = 3;
  recipe.checkpoint.every = 6;
  const auto report = Run(recipe, "run");
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->end, FitEnd::kStoppedEarly);
  EXPECT_EQ(report->batches % 3, 0);
  const auto again = Run(recipe, "run");
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->end, FitEnd::kStoppedEarly);
  EXPECT_EQ(again->batches, report->batches);
}

TEST_F(FitTest, UndoesBatchesWithoutAFiniteLossAndNamesTheirPhotos) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.warmup = 0.0;
  recipe.schedule.epochs = 40.0;
  recipe.optimizer.clip_norm = 0.0;
  recipe.schedule.rate = 1000.0;
  recipe.schedule.kind = "constant";
  recipe.head.linear = true;
  const auto report = Run(recipe, "run");
  EXPECT_THAT(report, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(said(), HasSubstr("it was undone"));
  EXPECT_THAT(said(), HasSubstr("photos/p"));
  EXPECT_THAT(std::string(MessageOf(report.status())), HasSubstr("schedule.rate"));
}

TEST_F(FitTest, KeepsNoRecipeThatCannotBegin) {
  const Recipe good = SmallRecipe();
  std::vector<Recipe> bad(5, good);
  bad[0].data.train = {dir_.File("fotos")};
  bad[1].schedule.minimum = 0.5;  // above the rate
  bad[2].network.init = dir_.File("absent.pth");
  bad[3].teacher.model = dir_.File("absent.safetensors");
  bad[4].evaluate.pairs = {dir_.File("absent.txt")};
  bad[4].evaluate.photos = dir_.File("photos");
  for (const Recipe& recipe : bad) {
    EXPECT_FALSE(Run(recipe, "run").ok());
    EXPECT_FALSE(std::filesystem::exists(dir_.File("run/recipe.yaml")));
  }
  EXPECT_THAT(Run(good, "run", 1), IsOk());
}

TEST_F(FitTest, TakesOverARunThatLearnedNothing) {
  Recipe recipe = SmallRecipe();
  for (size_t person = 0; person < kPeople; ++person) {
    for (size_t i = 0; i < kPhotos; ++i) {
      const std::string path = fmt::format("{}/p{}/{}.png", dir_.File("bad"), person, i);
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      ASSERT_THAT(WriteFileAtomically(path, "not a picture"), IsOk());
    }
  }
  recipe.data.train = {dir_.File("bad")};
  ASSERT_FALSE(Run(recipe, "run").ok());
  ASSERT_TRUE(std::filesystem::exists(dir_.File("run/recipe.yaml"))) << "it had begun";
  EXPECT_THAT(Run(SmallRecipe(), "run", 1), IsOk());
  EXPECT_THAT(said(), HasSubstr("nothing has been learned in"));
  EXPECT_THAT(ReadFile(dir_.File("run/recipe.yaml"), 1 << 20).value(), HasSubstr("/photos"));
}

TEST_F(FitTest, AStopBeforeTheFirstBatchLeavesNothingLearned) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.25;
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  const auto first = Run(recipe, "first");
  ASSERT_THAT(first, IsOk());
  recipe.network.init = first->model;
  for (const int64_t batch : {4, 3}) {
    std::ostringstream out;
    const std::string run = fmt::format("run{}", batch);
    Session session(
        {.out = out, .progress = out, .threads = 1, .asked_to_stop = [] { return true; }});
    const auto stopped = Fit(recipe, {.directory = dir_.File(run)}, session);
    ASSERT_THAT(stopped, IsOk());
    EXPECT_EQ(stopped->batches, 0);
    Recipe next = recipe;
    next.data.batch = batch;
    EXPECT_THAT(Run(next, run, 1), IsOk()) << batch;
  }
}

TEST_F(FitTest, GoesOnWithMoreEpochs) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.5;
  ASSERT_THAT(Run(recipe, "run"), IsOk());
  recipe.schedule.epochs = 1.0;
  const auto more = Run(recipe, "run");
  ASSERT_THAT(more, IsOk());
  EXPECT_EQ(more->resumed_at, 6);
  EXPECT_EQ(more->batches, 12);
  EXPECT_THAT(said(), HasSubstr("schedule.epochs is 1 now; it was 0.5"));
  recipe.schedule.epochs = 0.75;
  EXPECT_THAT(Run(recipe, "run"), StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(FitTest, GoesOnWithOtherThreads) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.5;
  ASSERT_THAT(Run(recipe, "run", 2), IsOk());
  recipe.machine.threads = 2;
  const auto report = Run(recipe, "run");
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->resumed_at, 2);
  EXPECT_THAT(said(), HasSubstr("machine.threads is 2 now; it was 1"));
}

TEST_F(FitTest, RefusesACardThatIsNotThere) {
  Recipe recipe = SmallRecipe();
  recipe.machine.device = "cuda:99";
  const auto report = Run(recipe, "run");
  EXPECT_THAT(report, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(MessageOf(report.status()), HasSubstr("device cuda:99"));
}

TEST_F(FitTest, SaysWhyItTakesTheCpu) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Device device, ChooseDevice("auto", FindCuda()));
  if (device.is_cuda()) GTEST_SKIP() << "SKIPPED: this machine has a card: " << device.words();
  Recipe recipe = SmallRecipe();
  recipe.machine.device = "auto";
  ASSERT_THAT(Run(recipe, "run", 1), IsOk());
  EXPECT_THAT(said(), HasSubstr("device: cpu"));
  // A build for CPUs is not asked why.
  EXPECT_THAT(said(), HasSubstr(device.note));
}

TEST_F(FitTest, GoesOnAfterACheckpointOfACard) {
  const Recipe recipe = SmallRecipe();
  ASSERT_THAT(Run(recipe, "run", 2), IsOk());
  const std::string path = dir_.File("run/checkpoints/batch-000000002.safetensors");
  auto checkpoint = ParseSafetensors(ReadFile(path, 1 << 30).value());
  ASSERT_THAT(checkpoint, IsOk());
  EXPECT_FALSE(checkpoint->metadata.contains("device")) << "the CPU is not noted";
  checkpoint->metadata["device"] = "cuda:0 (a card)";
  ASSERT_THAT(WriteFileAtomically(path, SerializeSafetensors(*checkpoint)), IsOk());
  ASSERT_THAT(Run(recipe, "run", 1), IsOk());
  EXPECT_THAT(said(), HasSubstr("another device: cpu, which was cuda:0 (a card)"));
}

TEST_F(FitTest, GoesOnToTheBitWithPhotosThatMoved) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.5;
  recipe.data.root = dir_.path();
  const auto whole = Run(recipe, "whole");
  ASSERT_THAT(whole, IsOk());
  ASSERT_THAT(Run(recipe, "parts", 2), IsOk());
  std::filesystem::create_directories(dir_.File("moved"));
  std::filesystem::rename(dir_.File("photos"), dir_.File("moved/photos"));
  Recipe moved;
  ASSERT_THAT(ReadRecipe(dir_.File("parts/recipe.yaml"), moved), IsOk());
  moved.data.root = dir_.File("moved");
  const auto parts = Run(moved, "parts");
  ASSERT_THAT(parts, IsOk());
  EXPECT_EQ(parts->resumed_at, 2);
  EXPECT_EQ(ReadModelFile(whole->model)->card.model_digest,
            ReadModelFile(parts->model)->card.model_digest);
}

TEST_F(FitTest, GivesTensorBoardTheGraphOfItsNetworkOnce) {
  const Recipe recipe = SmallRecipe();
  ASSERT_THAT(Run(recipe, "run", 1), IsOk());
  ASSERT_THAT(Run(recipe, "run", 2), IsOk());
  std::vector<std::string> graphs;
  for (const std::string& file : EventFilesOf(dir_.File("run"))) {
    for (const tensorboard::Event& event : ReadEvents(file)) {
      if (!event.graph_def().empty()) graphs.push_back(event.graph_def());
    }
  }
  const auto network =
      DescribeArchitecture(fmt::format("{}@{}", recipe.network.architecture, recipe.network.input));
  ASSERT_THAT(network, IsOk());
  EXPECT_THAT(graphs, ::testing::ElementsAre(report::NetworkGraph(*network).value()));
}

TEST_F(FitTest, BeginsWithTheWeightsOfAModelOrACheckpoint) {
  Recipe recipe = SmallRecipe();
  recipe.holdout.identities = 2;
  recipe.holdout.pairs = 40;
  recipe.schedule.epochs = 1.0;
  const auto first = Run(recipe, "first");
  ASSERT_THAT(first, IsOk());
  for (const std::string& weights :
       {first->model, dir_.File("first/checkpoints/batch-000000008.safetensors")}) {
    recipe.network.init = weights;
    recipe.network.freeze = {"backbone"};
    const std::string run = "run" + std::to_string(weights.size());
    ASSERT_THAT(Run(recipe, run, 4), IsOk());
    EXPECT_THAT(said(), HasSubstr("begins with "));
    // Nothing but the head has changed.
    const auto end = Run(recipe, run);
    ASSERT_THAT(end, IsOk());
    EXPECT_EQ(ReadModelFile(end->model)->card.model_digest,
              ReadModelFile(first->model)->card.model_digest);
    EXPECT_THAT(ReadModelFile(end->model)->card.origin, HasSubstr("begun with "));
  }
}

TEST_F(FitTest, RefusesWeightsOfWhichNothingFits) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.25;
  const auto first = Run(recipe, "first");
  ASSERT_THAT(first, IsOk());
  recipe.network.init = first->model;
  recipe.network.architecture = "iresnet-18";
  const auto second = Run(recipe, "second");
  EXPECT_THAT(std::string(MessageOf(second.status())),
              ::testing::AllOf(HasSubstr("none of its"), HasSubstr("iresnet-18")));
}

}  // namespace
}  // namespace facegate
