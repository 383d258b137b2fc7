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

}  // namespace
}  // namespace facegate
