#include "face/base/embedding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(EmbeddingTest, NormalizeGivesUnitLength) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Embedding unit,
                                Embedding::Normalize(std::vector<float>{3.0f, 0.0f, -4.0f}));
  EXPECT_FLOAT_EQ(unit.values()[0], 0.6f);
  EXPECT_FLOAT_EQ(unit.values()[2], -0.8f);
}

TEST(EmbeddingTest, NormalizeSurvivesTheExtremesOfFloat) {
  const float large = std::numeric_limits<float>::max();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Embedding unit,
                                Embedding::Normalize(std::vector<float>{large, large}));
  EXPECT_NEAR(unit.values()[0], std::sqrt(0.5), 1e-7);
}

TEST(EmbeddingTest, WhatHasNoDirectionIsRefused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Embedding::Normalize({}), RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(Embedding::Normalize(std::vector<float>(4, 0.0f)),
              RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(Embedding::Normalize(std::vector<float>{1.0f, nan}),
              RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(Embedding::Normalize(std::vector<float>{1.0f, infinity}),
              RefusedWith(Reason::kEmbeddingInvalid));
}

TEST(EmbeddingTest, FromUnitKeepsTheBitsAndRefusesOtherLengths) {
  const std::vector<float> unit = {0.6f, 0.8f};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Embedding kept, Embedding::FromUnit(unit));
  EXPECT_EQ(std::vector<float>(kept.values().begin(), kept.values().end()), unit);
  EXPECT_THAT(Embedding::FromUnit({0.6f, 0.9f}), RefusedWith(Reason::kEmbeddingInvalid));
}

TEST(EmbeddingTest, CosineScoreAccumulatesInDouble) {
  // The small terms would vanish beside the large ones in float.
  const std::vector<float> a = {1.0f, 0x1p-30f, -1.0f, 0x1p-30f};
  const std::vector<float> b = {1.0f, 1.0f, 1.0f, 1.0f};
  EXPECT_EQ(CosineScore(a, b), 0x1p-29f);
}

TEST(EmbeddingTest, CosineScoreTakesTheProductsInDouble) {
  // The square of 1 + 2^-13 has a bit that float cannot hold.
  const std::vector<float> a = {1.0f + 0x1p-13f, -1.0f};
  const std::vector<float> b = {1.0f + 0x1p-13f, 1.0f + 0x1p-12f};
  EXPECT_EQ(CosineScore(a, b), 0x1p-26f);
}

TEST(EmbeddingTest, DistanceFollowsFromCosine) {
  EXPECT_DOUBLE_EQ(DistanceOfCosine(1.0), 0.0);
  EXPECT_DOUBLE_EQ(DistanceOfCosine(1.0000001), 0.0);
  EXPECT_DOUBLE_EQ(DistanceOfCosine(-1.0), 2.0);
  EXPECT_NEAR(DistanceOfCosine(0.5), 1.0, 1e-12);
}

}  // namespace
}  // namespace facegate
