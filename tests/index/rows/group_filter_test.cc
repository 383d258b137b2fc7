#include "index/rows/group_filter.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <vector>

namespace facegate {
namespace {

void ExpectHolds(const std::vector<uint64_t>& groups, const std::vector<uint64_t>& others) {
  const GroupFilter filter(groups);
  EXPECT_EQ(filter.size(), groups.size());
  for (const uint64_t group : groups) EXPECT_TRUE(filter.Contains(group)) << group;
  for (const uint64_t group : others) EXPECT_FALSE(filter.Contains(group)) << group;
}

TEST(GroupFilterTest, HoldsNothing) { ExpectHolds({}, {0, 1, UINT64_MAX}); }

TEST(GroupFilterTest, HoldsNumbersThatLieTogether) {
  ExpectHolds({5, 6, 63, 64, 69, 200}, {0, 4, 7, 62, 65, 68, 70, 199, 201, UINT64_MAX});
}

TEST(GroupFilterTest, HoldsNumbersThatLieFarApart) {
  ExpectHolds({1, uint64_t{1} << 40, UINT64_MAX}, {0, 2, (uint64_t{1} << 40) + 1, UINT64_MAX - 1});
}

// `count` numbers from 7, each `step` after the one before.
std::vector<uint64_t> Every(uint64_t step, size_t count) {
  std::vector<uint64_t> groups;
  for (size_t i = 0; i < count; ++i) groups.push_back(7 + i * step);
  return groups;
}

TEST(GroupFilterTest, TakesNoMoreThanTheGroupsThatLieFarApart) {
  constexpr uint64_t kStep = uint64_t{1} << 19;
  const std::vector<uint64_t> groups = Every(kStep, 501);
  ExpectHolds(groups, {0, 6, 8, 7 + kStep - 1, 7 + kStep + 1, 7 + 501 * kStep});
  EXPECT_EQ(GroupFilter(groups).bytes(), groups.size() * sizeof(uint64_t));
}

TEST(GroupFilterTest, TakesABitForEachNumberAmongManyGroups) {
  const std::vector<uint64_t> groups = Every(16, 100'000);
  ExpectHolds(groups, {0, 6, 8, 22, 24, 7 + 100'000 * 16});
  EXPECT_LE(GroupFilter(groups).bytes(), 100'000 * 16 / 8U);
}

TEST(GroupFilterTest, TakesLittleForFewGroups) {
  const std::vector<uint64_t> groups{5, 1'000'000};
  ExpectHolds(groups, {0, 4, 6, 999'999, 1'000'001, UINT64_MAX});
  EXPECT_LE(GroupFilter(groups).bytes(), size_t{1} << 17);
}

}  // namespace
}  // namespace facegate
