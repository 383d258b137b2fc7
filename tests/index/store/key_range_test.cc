#include "index/store/key_range.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(KeyRangeTest, HoldsWhatBelongsToItsIdentityAndNothingElse) {
  const IdentityKey jane{.collection = 1, .identity = 7};
  const KeyRange range = RangeOf(jane);
  const std::string own = EncodeTemplateKey({.owner = jane, .template_id = kUidLimit - 1});
  const std::string next =
      EncodeTemplateKey({.owner = {.collection = 1, .identity = 8}, .template_id = 1});
  EXPECT_TRUE(range.begin <= own && own < range.end);
  EXPECT_GE(next, range.end);
}

TEST(KeyRangeTest, AnEmptyEndIsTheGreatest) {
  const KeyRange open{.begin = "b", .end = {}};
  const KeyRange closed{.begin = "a", .end = "z"};
  const KeyRange both{.begin = "a", .end = {}};
  EXPECT_EQ(Around(open, closed), both);
  EXPECT_EQ(Around(closed, open), both);
}

TEST(KeyRangesTest, BecomeOneAroundThemAllWhenThereAreTooMany) {
  KeyRanges ranges;
  for (uint64_t uid = 1; uid <= KeyRanges::kMost + 1; ++uid) ranges.Add(RangeOf(uid));
  ASSERT_EQ(ranges.all().size(), 1U);
  const KeyRange around{.begin = EncodeCollectionKey(1),
                        .end = EncodeCollectionKey(KeyRanges::kMost + 2)};
  EXPECT_EQ(*ranges.all().begin(), around);
}

}  // namespace
}  // namespace facegate
