// The backbone that is delivered.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/weights/model_file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "trainer/command/eval.h"
#include "trainer/photos/pair_file.h"
#include "trainer/photos/synthetic_dataset.h"

namespace facegate {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ModelPath() {
  return (std::filesystem::path(FACEGATE_SOURCE_DIR) / "deploy/models/default.safetensors")
      .string();
}

TEST(DefaultModelTest, SaysWhatItIs) {
  EXPECT_LT(std::filesystem::file_size(ModelPath()), 5'000'000U);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile file, ReadModelFile(ModelPath()));
  const ModelCard& card = file.card;
  EXPECT_EQ(card.architecture, "mobilefacenet-128");
  EXPECT_EQ(card.preprocessing.alignment, AlignmentTemplate::kArcFace112);
  EXPECT_THAT(card.training_data, HasSubstr("Labeled Faces in the Wild"));
  EXPECT_THAT(card.licence, HasSubstr("Research"));
  EXPECT_THAT(card.teacher, HasSubstr("CASIA-WebFace"));
  EXPECT_THAT(card.recipe, HasSubstr("teacher.weight"));
  EXPECT_FALSE(card.intended_use.empty());
  EXPECT_THAT(card.unintended_use, HasSubstr("doors"));
  ASSERT_TRUE(card.default_min_cosine.has_value());
  ASSERT_TRUE(card.canary.has_value());
  ASSERT_GE(card.accuracy.size(), 4U);
  for (const AccuracyFigure& figure : card.accuracy) {
    EXPECT_THAT(figure.command, AnyOf(HasSubstr("facegate-train"), HasSubstr("deploy/recipes/")))
        << figure.measure;
    EXPECT_THAT(figure.command, Not(HasSubstr("/work"))) << figure.measure;
  }
}

// Nobody of them was trained on: another seed, other people.
TEST(DefaultModelTest, TellsDrawnPeopleApart) {
  constexpr size_t kPeople = 16;
  constexpr size_t kViews = 3;
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto embedder,
      LoadTorchEmbedder(ModelPath(), {.max_batch = static_cast<int>(kViews), .device = "cpu"}));
  const auto faces =
      MakeSyntheticDataset({.seed = 77, .identities = kPeople, .views = kViews, .difficulty = 0.5});
  std::vector<Embedding> embeddings;
  for (size_t person = 0; person < kPeople; ++person) {
    std::vector<AlignedFace> crops;
    for (size_t view = 0; view < kViews; ++view) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(cv::Mat crop, faces->Load(person * kViews + view));
      crops.push_back({.bgr = std::move(crop)});
    }
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto some, embedder->Embed(crops));
    embeddings.insert(embeddings.end(), some.begin(), some.end());
  }
  // The first picture of each is enrolled, the others are probes.
  size_t hits = 0;
  for (size_t probe = 0; probe < embeddings.size(); ++probe) {
    if (probe % kViews == 0) continue;
    size_t best = 0;
    double best_cosine = -2.0;
    for (size_t person = 0; person < kPeople; ++person) {
      const auto& a = embeddings[probe].values();
      const auto& b = embeddings[person * kViews].values();
      const double cosine = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
      if (cosine > best_cosine) best = person;
      best_cosine = std::max(best_cosine, cosine);
    }
    hits += best == probe / kViews ? 1 : 0;
  }
  EXPECT_GE(hits, kPeople * (kViews - 1) * 9 / 10);
}

TEST(DefaultModelTest, IsAsAccurateAsItsCardSays) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile file, ReadModelFile(ModelPath()));
  const auto& figures = file.card.accuracy;
  const auto found = std::find_if(figures.begin(), figures.end(), [](const AccuracyFigure& one) {
    return one.measure == "LFW 10-fold accuracy, given landmarks";
  });
  ASSERT_NE(found, figures.end());
  EvalOptions options;
  options.embedding.model = ModelPath();
  options.embedding.faces.landmarks = (data / "lfw/landmarks.txt").string();
  options.photos = (data / "lfw/photos").string();
  options.pairs = {(data / "lfw/pairs.txt").string()};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::vector<EvalResult> results, RunEvaluation(options));
  EXPECT_NEAR(100.0 * results.front().report.exact.mean, found->value, 0.1);
  EXPECT_GE(100.0 * results.front().report.exact.mean, 90.0);
}

// Pairs of real faces: an eighth of LFW's first fold. The full list gives accuracies of 96.9, 84.5
// and 70.0 %.
TEST(DefaultModelTest, AccuracyFallsWithTheResolution) {
  FACEGATE_DATA_OR_SKIP(data);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairList list,
                                ReadPairList((data / "lfw/pairs.txt").string()));
  const TempDir dir;
  std::string lines;
  for (size_t i = 0; i < 600; i += 8) {
    const FacePair& pair = list.pairs[i];
    lines += fmt::format("{} {} {}\n", pair.first, pair.second, pair.same ? 1 : 0);
  }
  ASSERT_THAT(WriteFileAtomically(dir.File("pairs.txt"), lines), IsOk());
  EvalOptions options;
  options.embedding.model = ModelPath();
  options.embedding.faces.landmarks = (data / "lfw/landmarks.txt").string();
  options.photos = (data / "lfw/photos").string();
  options.pairs = {dir.File("pairs.txt")};
  options.low_resolution = {6.0, 12.0};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::vector<EvalResult> results, RunEvaluation(options));
  const EvalResult& result = results.front();
  ASSERT_EQ(result.low_resolution.size(), 2U);
  const EvalReport& whole = result.report;
  const EvalReport& sixth = result.low_resolution[0].report;
  const EvalReport& twelfth = result.low_resolution[1].report;
  EXPECT_GT(whole.auc.value, sixth.auc.value + 0.03);
  EXPECT_GT(sixth.auc.value, twelfth.auc.value + 0.03);
  EXPECT_GT(whole.exact.mean, sixth.exact.mean);
  EXPECT_GT(sixth.exact.mean, twelfth.exact.mean);
}

}  // namespace
}  // namespace facegate
