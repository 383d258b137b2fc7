// Claimed error rates on real faces of people who are not in the calibration; the whole experiment
// is tests/bench/calibration_bench.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/calibration_split.h"
#include "tests/support/status_matchers.h"
#include "tests/support/test_data.h"
#include "trainer/embeddings/embedding_file.h"

namespace facegate {
namespace {

constexpr size_t kSplits = 8;

TEST(CalibrationGoldenTest, RatesOfOtherPeopleLieInTheClaimedIntervals) {
  FACEGATE_DATA_OR_SKIP(data);
  const auto set = ReadEmbeddingSet((data / "lfw/embeddings_seed002.f32").string(),
                                    (data / "lfw/order.txt").string(), MirrorRule::kPlain, 2);
  ASSERT_THAT(set, IsOk());
  const PeopleScores scores(*set);
  constexpr auto kFmr = OperatingPointKind::kFmr;
  constexpr auto kFpir = OperatingPointKind::kFpir;
  const std::vector<ClaimedPoint> points = {
      {kFmr, 1e-1, 0},    {kFmr, 1e-2, 0},     {kFmr, 1e-3, 0},    {kFpir, 1e-1, 100},
      {kFpir, 1e-2, 100}, {kFpir, 1e-1, 1000}, {kFpir, 1e-2, 1000}};
  const std::vector<double> widest = {1.3, 1.3, 1.3, 2.0, 3.0, 2.0, 3.0};
  size_t covered = 0;
  for (size_t split = 0; split < kSplits; ++split) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto results,
                                  RunSplit(scores, points, RateBound::kEstimate, 1 + split));
    for (size_t i = 0; i < results.size(); ++i) {
      covered += results[i].covered() ? 1 : 0;
      EXPECT_LE(results[i].width(), widest[i]) << "point " << i << ", split " << split;
    }
  }
  EXPECT_GE(static_cast<double>(covered), 0.9 * static_cast<double>(kSplits * points.size()));
}

}  // namespace
}  // namespace facegate
