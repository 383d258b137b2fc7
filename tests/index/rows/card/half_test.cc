#include "index/rows/card/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "face/base/embedding.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

uint16_t Rounded(float value) {
  std::vector<uint16_t> halves(1);
  double residual = 0.0;
  (void)RoundToHalves(std::vector{value}, halves, residual);
  return halves[0];
}

TEST(HalfTest, ReadsWhatItWritesOfAllHalvesUpToOne) {
  for (uint32_t half = 0; half <= 0x3c00; ++half) {
    ASSERT_EQ(Rounded(FromHalf(static_cast<uint16_t>(half))), half);
    ASSERT_EQ(Rounded(-FromHalf(static_cast<uint16_t>(half))), half | 0x8000u);
  }
}

TEST(HalfTest, KnowsValuesOfTheStandard) {
  EXPECT_EQ(FromHalf(0x3c00), 1.0f);
  EXPECT_EQ(FromHalf(0xb800), -0.5f);
  EXPECT_EQ(FromHalf(0x0001), 0x1p-24f);
  EXPECT_EQ(FromHalf(0x0400), 0x1p-14f);
  EXPECT_EQ(FromHalf(0x03ff), 0x1p-14f - 0x1p-24f);
}

// Between two halves the nearer one is taken, and of two as near the even one.
TEST(HalfTest, RoundsToTheNearest) {
  for (uint32_t half = 0; half < 0x3c00; ++half) {
    const float low = FromHalf(static_cast<uint16_t>(half));
    const float high = FromHalf(static_cast<uint16_t>(half + 1));
    const float middle = (low + high) / 2.0f;
    ASSERT_EQ(Rounded(middle), half % 2 == 0 ? half : half + 1);
    ASSERT_EQ(Rounded(std::nextafter(middle, 0.0f)), half);
    ASSERT_EQ(Rounded(std::nextafter(middle, 1.0f)), half + 1);
  }
}

TEST(HalfTest, RefusesWhatIsNoUnitVector) {
  std::vector<uint16_t> halves(2);
  double residual = 0.0;
  EXPECT_TRUE(RoundToHalves(std::vector{0.6f, -0.8f}, halves, residual));
  for (const float value : {1.01f, 3e38f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_FALSE(RoundToHalves(std::vector{0.0f, value}, halves, residual)) << value;
  }
}

TEST(HalfTest, BoundsWhatRoundingChangesOfAScore) {
  std::mt19937_64 random(5);
  for (const size_t size : {1, 7, 128, 512, 4096}) {
    const Embedding query = RandomEmbedding(random, size);
    const Embedding row = RandomEmbedding(random, size);
    std::vector<uint16_t> q(size);
    std::vector<uint16_t> x(size);
    double of_query = 0.0;
    double of_row = 0.0;
    ASSERT_TRUE(RoundToHalves(query.values(), q, of_query));
    ASSERT_TRUE(RoundToHalves(row.values(), x, of_row));
    double product = 0.0;
    for (size_t i = 0; i < size; ++i) {
      product += static_cast<double>(FromHalf(q[i])) * static_cast<double>(FromHalf(x[i]));
    }
    const auto score = static_cast<double>(CosineScore(query.values(), row.values()));
    const double bound = HalfScoreErrorBound(size, of_query, of_row);
    EXPECT_LE(std::abs(product - score), bound - HalfDotErrorBound(size));
    EXPECT_LT(bound, 0.004);
  }
}

// The worst that can be: what rounding the query leaves over lies along the row.
TEST(HalfTest, BoundsAScoreWhereAllErrorsAddUp) {
  std::mt19937_64 random(6);
  for (const size_t size : {16, 128, 512}) {
    const Embedding query = RandomEmbedding(random, size);
    std::vector<uint16_t> q(size);
    double of_query = 0.0;
    ASSERT_TRUE(RoundToHalves(query.values(), q, of_query));
    std::vector<float> left_over(size);
    for (size_t i = 0; i < size; ++i) left_over[i] = query.values()[i] - FromHalf(q[i]);
    const Embedding row = UnitOf(left_over);
    double product = 0.0;  // of the halves of the query and the row as it is
    for (size_t i = 0; i < size; ++i) {
      product += static_cast<double>(FromHalf(q[i])) * static_cast<double>(row.values()[i]);
    }
    const auto score = static_cast<double>(CosineScore(query.values(), row.values()));
    const double error = std::abs(product - score);
    const double bound = HalfScoreErrorBound(size, of_query, 0.0) - HalfDotErrorBound(size);
    EXPECT_LE(error, bound);
    EXPECT_GT(error, 0.9 * bound) << "else it is no bound of this";
  }
}

}  // namespace
}  // namespace facegate
