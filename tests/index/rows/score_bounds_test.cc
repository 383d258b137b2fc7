#include "index/rows/score_bounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "face/base/embedding.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

float DotInLanes(std::span<const float> a, std::span<const float> b, size_t lanes) {
  std::vector<float> sums(lanes, 0.0f);
  for (size_t i = 0; i < a.size(); ++i) sums[i % lanes] += a[i] * b[i];
  return std::accumulate(sums.begin(), sums.end(), 0.0f);
}

TEST(ScoreBoundsTest, BoundsTheErrorOfFloatSums) {
  std::mt19937_64 random(3);
  for (const size_t size : std::vector<size_t>{1, 2, 16, 128, 512, 4096}) {
    const double bound = FloatDotErrorBound(size);
    for (int round = 0; round < 50; ++round) {
      // Terms of one sign, which drive the partial sums highest, and of both.
      std::vector<float> a = RandomDirection(random, size);
      if (round % 2 == 0) {
        for (float& value : a) value = std::abs(value);
      }
      const Embedding unit = UnitOf(a);
      const Embedding other = round % 3 == 0 ? RandomEmbedding(random, size) : unit;
      const auto exact = static_cast<double>(CosineScore(unit.values(), other.values()));
      for (const size_t lanes : std::vector<size_t>{1, 4, 8, 16}) {
        const auto approximate =
            static_cast<double>(DotInLanes(unit.values(), other.values(), lanes));
        EXPECT_LE(std::abs(approximate - exact), bound) << size;
      }
    }
  }
}

TEST(ScoreBoundsTest, KeepsTheBoundSmallAtUsualSizes) {
  EXPECT_LT(FloatDotErrorBound(512), 4e-5);
  EXPECT_GT(FloatDotErrorBound(512), 512 * std::ldexp(1.0, -24));
}

TEST(ScoreBoundsTest, BoundsTheRoundingOfScores) {
  std::mt19937_64 random(4);
  for (const size_t size : std::vector<size_t>{1, 2, 16, 512}) {
    for (int round = 0; round < 100; ++round) {
      const Embedding a = RandomEmbedding(random, size);
      const Embedding b = RandomEmbeddingNear(random, a, 0.3f);
      long double exact = 0.0L;
      for (size_t i = 0; i < size; ++i) {
        exact += static_cast<long double>(a.values()[i]) * static_cast<long double>(b.values()[i]);
      }
      const auto score = static_cast<long double>(CosineScore(a.values(), b.values()));
      EXPECT_LE(std::abs(score - exact), static_cast<long double>(ScoreErrorBound(size))) << size;
    }
  }
}

}  // namespace
}  // namespace facegate
