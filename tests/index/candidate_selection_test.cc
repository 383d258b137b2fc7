#include "index/candidate_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint64_t> TemplatesOf(CandidateSelection& selection) {
  std::vector<uint64_t> ids;
  for (const auto& candidate : selection.Take()) ids.push_back(candidate.template_id);
  return ids;
}

TEST(CandidateSelectionTest, KeepsAllRowsUntilThereAreKGroups) {
  CandidateSelection selection(3, 0.01);
  selection.Offer({.approximate = -0.9, .group = 1, .template_id = 10, .slot = {}});
  selection.Offer({.approximate = 0.5, .group = 1, .template_id = 11, .slot = {}});
  selection.Offer({.approximate = -1.0, .group = 2, .template_id = 12, .slot = {}});
  EXPECT_THAT(TemplatesOf(selection), ElementsAre(10, 11, 12));
}

TEST(CandidateSelectionTest, KeepsWhatIsWithinTwiceTheErrorOfTheKthGroup) {
  CandidateSelection selection(2, 0.01);
  selection.Offer({.approximate = 0.50, .group = 1, .template_id = 10, .slot = {}});
  selection.Offer({.approximate = 0.90, .group = 2, .template_id = 11, .slot = {}});
  selection.Offer({.approximate = 0.485, .group = 3, .template_id = 12, .slot = {}});
  selection.Offer({.approximate = 0.475, .group = 4, .template_id = 13, .slot = {}});
  selection.Offer({.approximate = 0.49, .group = 2, .template_id = 14, .slot = {}});
  EXPECT_THAT(TemplatesOf(selection), ElementsAre(10, 11, 12, 14));
}

TEST(CandidateSelectionTest, CountsOneGroupOnce) {
  CandidateSelection selection(2, 0.0);
  for (uint64_t i = 0; i < 5; ++i) {
    selection.Offer({.approximate = 0.9 + 0.01 * static_cast<double>(i),
                     .group = 1,
                     .template_id = i + 1,
                     .slot = {}});
  }
  selection.Offer({.approximate = 0.1, .group = 2, .template_id = 9, .slot = {}});
  EXPECT_DOUBLE_EQ(selection.floor(), 0.1);
}

TEST(CandidateSelectionTest, OrdersGroupsByScoreThenTemplate) {
  EXPECT_THAT(BestOfEachGroup({{.group = 1, .template_id = 7, .cosine = 0.5f},
                               {.group = 2, .template_id = 3, .cosine = 0.5f},
                               {.group = 1, .template_id = 5, .cosine = 0.5f},
                               {.group = 3, .template_id = 9, .cosine = 0.6f},
                               {.group = 3, .template_id = 1, .cosine = 0.1f}},
                              2),
              ElementsAre(IndexMatch{.group = 3, .template_id = 9, .cosine = 0.6f},
                          IndexMatch{.group = 2, .template_id = 3, .cosine = 0.5f}));
  EXPECT_THAT(BestOfEachGroup({}, 5), IsEmpty());
}

float DotInLanes(std::span<const float> a, std::span<const float> b, size_t lanes) {
  std::vector<float> sums(lanes, 0.0f);
  for (size_t i = 0; i < a.size(); ++i) sums[i % lanes] += a[i] * b[i];
  return std::accumulate(sums.begin(), sums.end(), 0.0f);
}

TEST(CandidateSelectionTest, BoundsTheErrorOfFloatSums) {
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

TEST(CandidateSelectionTest, KeepsTheBoundSmallAtUsualSizes) {
  EXPECT_LT(FloatDotErrorBound(512), 4e-5);
  EXPECT_GT(FloatDotErrorBound(512), 512 * std::ldexp(1.0, -24));
}

}  // namespace
}  // namespace facegate
