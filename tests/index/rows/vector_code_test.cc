#include "index/rows/vector_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "face/base/embedding.h"
#include "tests/support/random_embedding.h"
#include "tests/support/rounds.h"

namespace facegate {
namespace {

using ::testing::Each;

struct Encoded {
  explicit Encoded(std::span<const float> vector)
      : codes(vector.size()), code(EncodeVector(vector, codes)) {}
  std::vector<int8_t> codes;
  VectorCode code;
};

int32_t ProductOf(const Encoded& a, const Encoded& b) {
  int32_t product = 0;
  for (size_t i = 0; i < a.codes.size(); ++i) product += int32_t{a.codes[i]} * b.codes[i];
  return product;
}

// |score - what the codes say| as a share of what is promised.
double ShareOfBound(std::span<const float> query, std::span<const float> row) {
  const Encoded of_query(query);
  const Encoded of_row(row);
  const QueryBound bound = BoundOf(of_query.code, of_query.codes);
  const double said = bound.Score(of_row.code.scale, ProductOf(of_query, of_row));
  const auto score = static_cast<double>(CosineScore(query, row));
  return std::abs(score - said) / bound.Error(of_row.code.residual);
}

// A vector whose codes leave as much as can be: every value lies between two codes.
std::vector<float> HalfwayVector(std::mt19937_64& random, size_t size) {
  std::vector<float> values(size);
  for (float& value : values) {
    value = static_cast<float>(random() % 100) + 0.5f;
    if (random() % 2 == 0) value = -value;
  }
  values[random() % size] = 127.0f;
  const Embedding unit = UnitOf(values);
  return {unit.values().begin(), unit.values().end()};
}

TEST(VectorCodeTest, KeepsScoresWithinTheBound) {
  std::mt19937_64 random(5);
  for (const size_t size : std::vector<size_t>{1, 2, 3, 16, 100, 512, 4096}) {
    for (int round = 0; round < Rounds(60, 20'000); ++round) {
      const Embedding row = RandomEmbedding(random, size);
      const Embedding query =
          round % 2 == 0 ? RandomEmbedding(random, size) : RandomEmbeddingNear(random, row, 0.1f);
      EXPECT_LE(ShareOfBound(query.values(), row.values()), 1.0) << size;
      const std::vector<float> halfway = HalfwayVector(random, size);
      EXPECT_LE(ShareOfBound(halfway, halfway), 1.0) << size;
      EXPECT_LE(ShareOfBound(halfway, row.values()), 1.0) << size;
    }
  }
}

// A query and a row that make both parts of the bound as large as they can be together: what is
// left over of each points along the other.
TEST(VectorCodeTest, NearlyReachesTheBoundWhereWhatIsLeftOverPointsAlongTheOther) {
  constexpr size_t kSize = 512;
  std::vector<float> values(kSize, 0.49f);
  values[0] = 127.0f;  // the codes of all others are 0
  std::vector<float> query(kSize, 1.0f);
  query[0] = 0.0f;
  const double share = ShareOfBound(UnitOf(query).values(), UnitOf(values).values());
  EXPECT_GT(share, 0.9);
  EXPECT_LE(share, 1.0);
}

TEST(VectorCodeTest, BoundsTheNormOfWhatIsLeftOver) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 100; ++round) {
    const Embedding unit = RandomEmbedding(random, 200);
    const Encoded encoded(unit.values());
    long double squares = 0.0L;
    for (size_t i = 0; i < encoded.codes.size(); ++i) {
      const long double left = static_cast<long double>(unit.values()[i]) -
                               static_cast<long double>(encoded.code.scale) * encoded.codes[i];
      squares += left * left;
    }
    EXPECT_GE(static_cast<long double>(encoded.code.residual), std::sqrt(squares));
    EXPECT_LE(static_cast<long double>(encoded.code.residual), 1.00001L * std::sqrt(squares));
  }
}

TEST(VectorCodeTest, TakesAllCodesFromMinus127To127) {
  std::vector<float> values;
  for (int code = -127; code <= 127; ++code) values.push_back(static_cast<float>(code));
  const Encoded encoded(UnitOf(values).values());
  for (int code = -127; code <= 127; ++code) {
    EXPECT_EQ(encoded.codes[static_cast<size_t>(code + 127)], code);
  }
}

TEST(VectorCodeTest, RoundsToTheNearestCodeAndBetweenTwoToTheEvenOne) {
  std::mt19937_64 random(7);
  for (const size_t size : std::vector<size_t>{1, 3, 4, 16, 17, 128, 512, 513}) {
    for (int round = 0; round < 40; ++round) {
      const Embedding unit = RandomEmbedding(random, size);
      std::vector<float> values(unit.values().begin(), unit.values().end());
      // With a scale of a power of two, every second value lies between two codes.
      if (round % 2 == 0) {
        for (float& value : values) value = std::ldexp(std::nearbyint(254.0f * value), -9);
        values[random() % size] = 127.0f / 256.0f;
      }
      const Encoded encoded(values);
      for (size_t i = 0; i < size && encoded.code.scale > 0.0f; ++i) {
        ASSERT_EQ(encoded.codes[i], std::nearbyint(values[i] / encoded.code.scale)) << i;
      }
    }
  }
}

TEST(VectorCodeTest, KnowsNothingOfWhatIsNoUnitVector) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float odd : {kInfinity, -kInfinity, std::nanf(""), 1.1f, 3e38f}) {
    const Encoded encoded(std::vector<float>{0.0f, odd, 0.1f});
    EXPECT_EQ(encoded.code.residual, kInfinity) << odd;
    EXPECT_THAT(encoded.codes, Each(0));
    const QueryBound bound = BoundOf(encoded.code, encoded.codes);
    EXPECT_EQ(bound.Error(0.0f), std::numeric_limits<double>::infinity()) << odd;
    EXPECT_EQ(bound.Error(kInfinity), std::numeric_limits<double>::infinity()) << odd;
  }
}

TEST(VectorCodeTest, IsItsOwnResidualWhereAVectorIsTooShortForAScale) {
  const Encoded zero(std::vector<float>(4, 0.0f));
  EXPECT_EQ(zero.code.scale, 0.0f);
  EXPECT_LE(zero.code.residual, std::numeric_limits<float>::min());
  const Encoded denormal(std::vector<float>(4, 1e-40f));
  EXPECT_EQ(denormal.code.scale, 0.0f);
  EXPECT_GE(denormal.code.residual, 2e-40f);
  EXPECT_THAT(denormal.codes, Each(0));
}

}  // namespace
}  // namespace facegate
