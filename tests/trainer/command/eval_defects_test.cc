// Mistakes that face trainers are known for, each with a test that this one does not make it. Here
// are those of evaluation; tests/trainer/learn/learning_defects_test.cc has those of learning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"
#include "trainer/embeddings/photo_embeddings.h"
#include "trainer/measure/evaluation.h"
#include "trainer/photos/centre_crop.h"
#include "trainer/photos/loader.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A model and crops of nobody, in a folder of the test's own.
class EvalDefectsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_THAT(WriteRandomModel(model_), IsOk()); }

  // `count` crops of side `side`.
  std::unique_ptr<NamedPhotos> Photos(size_t count, int side = 112) {
    std::vector<NamedPhoto> photos;
    for (size_t i = 0; i < count; ++i) {
      const std::string name = "p" + std::to_string(i) + ".png";
      cv::Mat crop;
      cv::resize(SyntheticCrop(static_cast<uint32_t>(i)), crop, {side, side});
      EXPECT_THAT(WriteFileAtomically(dir_.File(name), Encode(crop, ".png")), IsOk());
      photos.push_back({.name = name, .path = dir_.File(name)});
    }
    return MakeFilePhotos(std::move(photos));
  }
  std::unique_ptr<PhotoEmbedder> Embedder(const FaceCutOptions& faces = {.crops = true}) {
    auto embedder = PhotoEmbedder::Create({.model = model_, .faces = faces});
    EXPECT_THAT(embedder, IsOk());
    return *std::move(embedder);
  }
  std::vector<EmbeddingSet> Embed(PhotoEmbedder& embedder, const NamedPhotos& photos,
                                  const std::vector<double>& factors = {1.0}) {
    std::vector<Resolution> resolutions;
    for (const double factor : factors) resolutions.push_back({.factor = factor});
    auto sets = EmbedPhotos(embedder, photos, resolutions, NoFaceRule::kFail, [] {});
    EXPECT_THAT(sets, IsOk());
    return std::move(sets->sets);
  }

  TempDir dir_;
  const std::string model_ = dir_.File("model.safetensors");
};

// The last batch of an evaluation, which is not full, went another way through the code than the
// others and had its colours in another order.
TEST_F(EvalDefectsTest, TheLastBatchIsTreatedLikeTheOthers) {
  constexpr size_t kCount = PhotoEmbedder::kMostFaces + 3;
  const auto photos = Photos(kCount);
  const auto embedder = Embedder();
  const EmbeddingSet all = Embed(*embedder, *photos).front();
  ASSERT_EQ(all.size(), kCount);
  for (const size_t i : {size_t{0}, kCount - 4, kCount - 2, kCount - 1}) {
    std::vector<NamedPhoto> one = {{.name = photos->name(i), .path = dir_.File(photos->name(i))}};
    const auto alone = MakeFilePhotos(std::move(one));
    EXPECT_NEAR(CosineOf(Embed(*embedder, *alone).front().row(0), all.row(i)), 1.0, 1e-6) << i;
  }
}

// An evaluation "at low resolution" scaled crops from their size to the same size: it changed
// nothing, and its figures were those of the full resolution.
TEST_F(EvalDefectsTest, LowResolutionChangesEmbeddings) {
  const auto photos = Photos(4);
  const auto embedder = Embedder();
  const std::vector<EmbeddingSet> sets = Embed(*embedder, *photos, {1.0, 2.0, 8.0});
  const EmbeddingSet plain = Embed(*embedder, *photos).front();
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(CosineOf(sets[0].row(i), plain.row(i)), 1.0, 1e-12);
    EXPECT_LT(CosineOf(sets[2].row(i), plain.row(i)), 1.0 - 1e-4);
    EXPECT_LT(CosineOf(sets[2].row(i), plain.row(i)), CosineOf(sets[1].row(i), plain.row(i)));
  }
}

// The option for one side of a pair was read from a place where it never was.
TEST_F(EvalDefectsTest, LowResolutionOfOneSideChangesThatSideAlone) {
  const auto photos = Photos(2);
  const auto embedder = Embedder();
  const std::vector<EmbeddingSet> sets = Embed(*embedder, *photos, {1.0, 8.0});
  const PairList list{.pairs = {{.first = "p0.png", .second = "p1.png", .same = true}}};
  const auto one = ScorePairs(list, sets[0], sets[1]);
  const auto both = ScorePairs(list, sets[1], sets[1]);
  const auto none = ScorePairs(list, sets[0], sets[0]);
  ASSERT_TRUE(one.ok() && both.ok() && none.ok());
  EXPECT_EQ(one->front().cosine, CosineOf(sets[0].row(0), sets[1].row(1)));
  EXPECT_NE(one->front().cosine, both->front().cosine);
  EXPECT_NE(one->front().cosine, none->front().cosine);
}

// The centre crop was honoured in evaluation and ignored by the transforms of training, so that a
// network saw faces of another size than it was tested on.
TEST_F(EvalDefectsTest, TrainingAndEvaluationCutTheSameMiddle) {
  const auto photos = Photos(3, 128);
  ImageList list{.images = {}, .classes = {"a"}};
  for (size_t i = 0; i < 3; ++i) {
    list.images.push_back({.path = dir_.File(photos->name(i)), .label = 0});
  }
  const auto dataset =
      MakeCentreCropDataset(MakeListDataset(std::move(list)), {.height = 112, .size = {112, 112}});
  const auto embedder = Embedder({.centre_crop = 112});
  const auto faces = embedder->Cut(*photos, 0, 3);
  for (size_t i = 0; i < 3; ++i) {
    const auto trained = dataset->Load(i);
    ASSERT_TRUE(trained.ok() && faces[i].ok()) << faces[i].status();
    EXPECT_EQ(trained->size(), cv::Size(112, 112));
    EXPECT_EQ(cv::norm(*trained, faces[i]->bgr, cv::NORM_INF), 0.0);
  }
  // And so the loader takes it to the network without any change of its own.
  LoaderOptions options;
  options.sampler.batch = 3;
  options.augment.flip = 0.0;
  const auto loader = Loader::Start(*dataset, options, nullptr);
  ASSERT_THAT(loader, IsOk());
  const auto batch = (*loader)->Next();
  ASSERT_THAT(batch, IsOk());
  const size_t floats = options.preprocessing.input_floats();
  for (size_t place = 0; place < 3; ++place) {
    std::vector<float> input(floats);
    ASSERT_THAT(
        WriteNetworkInput(*faces[(*batch)->photos[place]], options.preprocessing, false, input),
        IsOk());
    EXPECT_TRUE(std::equal(input.begin(), input.end(),
                           (*batch)->pixels.begin() + static_cast<std::ptrdiff_t>(place * floats)));
  }
}

// A pair whose photo had no embedding was left out in silence, and the figures were of the rest.
TEST_F(EvalDefectsTest, NoPairIsLeftOut) {
  const auto photos = Photos(2);
  const EmbeddingSet set = Embed(*Embedder(), *photos).front();
  const PairList list{.pairs = {{.first = "p0.png", .second = "p1.png", .same = true},
                                {.first = "p0.png", .second = "p2.png", .same = false}}};
  const auto scores = ScorePairs(list, set, set);
  EXPECT_THAT(scores, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(std::string(MessageOf(scores.status())), HasSubstr("p2.png"));
}

// Accuracy was that of the best threshold on the very pairs that were counted. In these pairs the
// threshold of each fold is wrong for the other: such an accuracy would be 1 by folds, and 0.75
// over all, and the honest one is 0.5.
TEST(EvalThresholdTest, ComesFromTheOtherFolds) {
  std::vector<ScoredPair> pairs;
  for (int i = 0; i < 40; ++i) {
    const bool same = i % 2 == 0;
    pairs.push_back({.cosine = i < 20 ? (same ? 0.2 : 0.1) : (same ? 0.9 : 0.8), .same = same});
  }
  for (const ThresholdRule rule :
       {ThresholdRule::kExact, ThresholdRule::kGridDistance, ThresholdRule::kGridSquaredL2}) {
    const auto accuracy = CrossValidate(pairs, 2, rule);
    ASSERT_THAT(accuracy, IsOk());
    EXPECT_DOUBLE_EQ(accuracy->mean, 0.5);
    EXPECT_DOUBLE_EQ(accuracy->pairs.value, 0.5);
  }
}

TEST(EvalThresholdTest, NoFigureOfItsOwnPairsIsOffered) {
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunTrainCli({"eval", "--help"}, out, err), TrainExitCode::kOk);
  EXPECT_THAT(out.str(), HasSubstr("the threshold of each comes from the others"));
  EXPECT_THAT(out.str(), Not(HasSubstr("best threshold")));
}

}  // namespace
}  // namespace facegate
