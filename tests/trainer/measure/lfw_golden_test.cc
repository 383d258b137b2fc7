// The figures of a published pair of weights on LFW, computed independently with NumPy.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"
#include "trainer/embeddings/embedding_file.h"
#include "trainer/measure/identification.h"
#include "trainer/measure/pair_list.h"
#include "trainer/photos/pair_file.h"

namespace facegate {
namespace {

// The figures are in percent, to three decimals.
constexpr double kHalfDigit = 0.0005;

struct Expected {
  MirrorRule rule;
  double exact, exact_deviation, grid, grid_deviation, squared, squared_deviation;
  double tar_2, tar_3, eer, rank_1, rank_1_four, tpir_1, tpir_5;
  size_t hits;
};

class LfwGoldenTest : public ::testing::TestWithParam<Expected> {};

TEST_P(LfwGoldenTest, PrintsTheReferenceFigures) {
  FACEGATE_DATA_OR_SKIP(data);
  const Expected& want = GetParam();
  const auto set = ReadEmbeddingSet((data / "lfw/embeddings_seed002.f32").string(),
                                    (data / "lfw/order.txt").string(), want.rule, 2);
  ASSERT_THAT(set, IsOk());
  const auto list = ReadPairList((data / "lfw/pairs.txt").string());
  ASSERT_THAT(list, IsOk());
  std::vector<ScoredPair> pairs;
  for (const FacePair& pair : list->pairs) {
    const auto a = set->IndexOf(pair.first);
    const auto b = set->IndexOf(pair.second);
    ASSERT_TRUE(a.ok() && b.ok());
    pairs.push_back({.cosine = set->Score(*a, *b), .same = pair.same});
  }
  const auto accuracy = [&](ThresholdRule rule, double mean, double deviation) {
    const auto result = CrossValidate(pairs, list->folds, rule);
    ASSERT_THAT(result, IsOk());
    EXPECT_NEAR(100 * result->mean, mean, kHalfDigit);
    EXPECT_NEAR(100 * result->deviation, deviation, kHalfDigit);
  };
  accuracy(ThresholdRule::kExact, want.exact, want.exact_deviation);
  accuracy(ThresholdRule::kGridDistance, want.grid, want.grid_deviation);
  accuracy(ThresholdRule::kGridSquaredL2, want.squared, want.squared_deviation);
  const auto scores = ScoreDistribution::Make(pairs);
  ASSERT_THAT(scores, IsOk());
  EXPECT_NEAR(100 * scores->AtFar(1e-2)->tar.value, want.tar_2, kHalfDigit);
  EXPECT_NEAR(100 * scores->AtFar(1e-3)->tar.value, want.tar_3, kHalfDigit);
  EXPECT_NEAR(100 * scores->EqualErrorRate(), want.eer, kHalfDigit);

  const auto two = FirstPhotoProtocol(*set, 2);
  ASSERT_THAT(two, IsOk());
  EXPECT_EQ(two->gallery.size(), 1559u);
  const auto ranks = IdentificationScores::Compute(*set, *two);
  EXPECT_EQ(ranks.HitsAtRank(1), want.hits);
  EXPECT_NEAR(100 * ranks.AtRank(1).value, want.rank_1, kHalfDigit);
  EXPECT_NEAR(100 * ranks.AtFpir(0.01)->tpir.value, want.tpir_1, kHalfDigit);
  EXPECT_NEAR(100 * ranks.AtFpir(0.05)->tpir.value, want.tpir_5, kHalfDigit);
  const auto four = FirstPhotoProtocol(*set, 4);
  ASSERT_THAT(four, IsOk());
  EXPECT_EQ(four->gallery.size(), 439u);
  EXPECT_EQ(four->probes.size(), 1992u);
  EXPECT_NEAR(100 * IdentificationScores::Compute(*set, *four).AtRank(1).value, want.rank_1_four,
              kHalfDigit);
}

INSTANTIATE_TEST_SUITE_P(
    Weights, LfwGoldenTest,
    ::testing::Values(Expected{MirrorRule::kPlain, 98.467, 0.427, 98.550, 0.373, 98.550, 0.388,
                               98.100, 92.667, 1.467, 88.713, 92.771, 61.842, 73.538, 3034},
                      Expected{MirrorRule::kSum, 98.700, 0.332, 98.667, 0.357, 98.667, 0.357,
                               98.433, 95.100, 1.333, 91.784, 94.378, 66.959, 77.719, 3139}),
    [](const auto& rule) { return rule.index == 0 ? "plain" : "mirrored"; });

}  // namespace
}  // namespace facegate
