#include "trainer/report/score_curves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "tests/support/status_matchers.h"

namespace facegate::report {
namespace {

// Rounded, so that there are ties.
std::vector<ScoredPair> SomePairs(size_t count) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> noise(0.0, 0.15);
  std::vector<ScoredPair> pairs;
  for (size_t i = 0; i < count; ++i) {
    const bool same = i % 3 == 0;
    pairs.push_back(
        {.cosine = std::round(1e4 * ((same ? 0.5 : 0.0) + noise(random))) / 1e4, .same = same});
  }
  return pairs;
}

double ShareFrom(const std::vector<ScoredPair>& pairs, bool same, double threshold) {
  double hits = 0.0;
  double all = 0.0;
  for (const ScoredPair& pair : pairs) {
    if (pair.same != same) continue;
    all += 1.0;
    hits += pair.cosine >= threshold ? 1.0 : 0.0;
  }
  return hits / all;
}

TEST(ErrorCurveTest, RatesAreThoseOfAPlainCount) {
  const std::vector<ScoredPair> pairs = SomePairs(3000);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ScoreDistribution scores, ScoreDistribution::Make(pairs));
  const std::vector<ErrorRates> curve = ErrorCurve(scores, 100);
  EXPECT_GT(curve.size(), 50U);
  EXPECT_LE(curve.size(), 100U);
  for (const ErrorRates& at : curve) {
    EXPECT_DOUBLE_EQ(at.false_match, ShareFrom(pairs, false, at.threshold));
    EXPECT_DOUBLE_EQ(at.false_non_match, 1.0 - ShareFrom(pairs, true, at.threshold));
  }
}

TEST(ErrorCurveTest, FallsInThresholdAndReachesBothEnds) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ScoreDistribution scores,
                                ScoreDistribution::Make(SomePairs(3000)));
  const std::vector<ErrorRates> curve = ErrorCurve(scores, 100);
  for (size_t i = 1; i < curve.size(); ++i) {
    EXPECT_LT(curve[i].threshold, curve[i - 1].threshold);
    EXPECT_GE(curve[i].false_match, curve[i - 1].false_match);
    EXPECT_LE(curve[i].false_non_match, curve[i - 1].false_non_match);
  }
  EXPECT_EQ(curve.front().false_match, 0.0);
  EXPECT_EQ(curve.back().false_match, 1.0);
  EXPECT_EQ(curve.back().false_non_match, 0.0);
}

TEST(ErrorCurveTest, OnePairOfEachKindIsEnough) {
  const std::vector<ScoredPair> pairs = {{.cosine = 0.7, .same = true}, {.cosine = 0.1}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ScoreDistribution scores, ScoreDistribution::Make(pairs));
  EXPECT_EQ(ErrorCurve(scores, 400).size(), 2U);
}

TEST(ScoreHistogramTest, CountsEachScoreOnce) {
  const std::vector<double> scores = {0.0, 0.09, 0.1, 0.55, 0.999, 1.0, -3.0, 7.0};
  const Curve histogram = ScoreHistogram(scores, 0.0, 1.0, 10);
  ASSERT_EQ(histogram.size(), 10U);
  EXPECT_NEAR(histogram[0].x, 0.05, 1e-12);
  EXPECT_DOUBLE_EQ(histogram[0].y, 3.0 / 8.0);  // 0, 0.09, and what lies below
  EXPECT_DOUBLE_EQ(histogram[1].y, 1.0 / 8.0);
  EXPECT_DOUBLE_EQ(histogram[5].y, 1.0 / 8.0);
  EXPECT_DOUBLE_EQ(histogram[9].y, 3.0 / 8.0);
  double sum = 0.0;
  for (const CurvePoint& point : histogram) sum += point.y;
  EXPECT_NEAR(sum, 1.0, 1e-12);
}

}  // namespace
}  // namespace facegate::report
