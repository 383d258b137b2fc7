#include "trainer/run/set_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "face/base/file.h"
#include "face/embed/torch/torch_embedder.h"
#include "tests/support/pair_set_files.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/pair_set.h"

namespace facegate {
namespace {

// The last batch of an evaluation, which is not full, kept the colours of the file where the others
// had them turned round. Here every picture is scored alike, whichever batch it is in.
TEST(SetScoresTest, TheLastBatchIsTreatedLikeTheOthers) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("lfw.bin"), PairPickle(MakeTestPairs(20))), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSetFormat* const format,
                                FormatOfPairSet(dir.File("lfw.bin")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PairSet pairs, format->open(dir.File("lfw.bin")));
  EvaluationSet forward{
      .name = pairs.name, .source = pairs.pictures, .photos = {}, .pairs = pairs.pairs};
  forward.photos.resize(pairs.pictures->size());
  std::iota(forward.photos.begin(), forward.photos.end(), size_t{0});
  EvaluationSet backward = forward;
  std::reverse(backward.photos.begin(), backward.photos.end());
  const size_t last = backward.photos.size() - 1;
  for (EvaluationSet::Pair& pair : backward.pairs) {
    pair.first = last - pair.first;
    pair.second = last - pair.second;
  }

  ASSERT_THAT(WriteRandomModel(dir.File("m.safetensors")), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(ModelFile model, ReadModelFile(dir.File("m.safetensors")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto embedder,
      MakeTorchEmbedder(std::move(model), {.threads = 1, .max_batch = 32, .run_canary = false}));
  const auto nothing = [](const Status&) {};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SetScores one, ScoreSet(forward, *embedder, nothing));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const SetScores other, ScoreSet(backward, *embedder, nothing));
  ASSERT_EQ(one.pairs.size(), 20U);
  for (size_t i = 0; i < one.pairs.size(); ++i) {
    EXPECT_NEAR(one.pairs[i].cosine, other.pairs[i].cosine, 1e-6) << i;
  }
}

}  // namespace
}  // namespace facegate
