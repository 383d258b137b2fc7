#include "index/rows/best_groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace facegate {
namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

// Small and large k, which are kept in different ways.
class BestGroupsTest : public ::testing::TestWithParam<size_t> {};

INSTANTIATE_TEST_SUITE_P(OfAnyNumber, BestGroupsTest,
                         ::testing::Values(1, 2, 10, BestGroups::kMostInArray,
                                           BestGroups::kMostInArray + 1, 200));

TEST_P(BestGroupsTest, TellsTheKthBoundOfAllGroups) {
  const size_t k = GetParam();
  std::mt19937_64 random(k);
  std::uniform_real_distribution<double> any_bound(-1.0, 1.0);
  BestGroups best(k);
  std::map<uint64_t, double> bounds;
  for (int i = 0; i < 1500; ++i) {
    const uint64_t group = random() % (3 * k) + 1;
    const double bound = any_bound(random);
    best.Raise(group, bound);
    double& of_group = bounds.try_emplace(group, bound).first->second;
    of_group = std::max(of_group, bound);
    std::vector<double> sorted;
    for (const auto& [id, known] : bounds) sorted.push_back(known);
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    ASSERT_EQ(best.kth(), sorted.size() < k ? kNone : sorted[k - 1]) << i;
  }
  for (const auto& [id, bound] : bounds) {
    EXPECT_EQ(best.BoundOf(id), bound >= best.kth() ? bound : kNone);
  }
}

TEST_P(BestGroupsTest, AnswersABoundWithThatOfTheGroup) {
  BestGroups best(GetParam());
  EXPECT_EQ(best.Raise(7, 0.5), 0.5);
  EXPECT_EQ(best.Raise(7, 0.25), 0.5);
  EXPECT_EQ(best.Raise(7, 0.75), 0.75);
}

TEST(OneBestGroupTest, LeavesOutWhatIsNotAboveTheLowest) {
  BestGroups best(1);
  best.Raise(7, 0.5);
  EXPECT_EQ(best.Raise(8, 0.5), kNone);
  EXPECT_EQ(best.BoundOf(8), kNone);
  EXPECT_EQ(best.BoundOf(7), 0.5);
}

}  // namespace
}  // namespace facegate
