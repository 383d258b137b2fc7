#include "trainer/run/held_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// `counts` photos of each of `names`.
People PeopleOf(std::vector<std::string> names, const std::vector<size_t>& counts) {
  People people;
  size_t photo = 0;
  for (const size_t count : counts) {
    std::vector<size_t>& own = people.photos.emplace_back();
    for (size_t i = 0; i < count; ++i) own.push_back(photo++);
  }
  people.names = std::move(names);
  return people;
}

DataOptions HoldOutOptions(int64_t identities, int64_t pairs) {
  DataOptions options;
  options.holdout_identities = identities;
  options.holdout_pairs = pairs;
  return options;
}

TEST(HeldOutTest, TakesPairsOfAllPeopleAlike) {
  const auto held_out =
      HoldOut(PeopleOf({"a", "b", "c", "d"}, {30, 6, 6, 6}), HoldOutOptions(4, 80));
  ASSERT_THAT(held_out, IsOk());
  const EvaluationSet& set = *held_out->set;
  std::map<size_t, size_t> pairs_of;  // by the person's first photo
  for (const EvaluationSet::Pair& pair : set.pairs) {
    if (!pair.same) continue;
    const size_t photo = set.photos[pair.first];
    pairs_of[photo < 30 ? 0 : (photo - 30) / 6 + 1] += 1;
  }
  for (size_t person = 0; person < 4; ++person) EXPECT_EQ(pairs_of[person], 10u) << person;
}

TEST(HeldOutTest, KeepsNamesakesOfTheHeldOutFromTraining) {
  // All three names are held out; each has an identity of the same name.
  const auto held_out =
      HoldOut(PeopleOf({"a", "b", "c", "a", "b", "c"}, {6, 6, 6, 6, 6, 6}), HoldOutOptions(3, 40));
  ASSERT_THAT(held_out, IsOk());
  EXPECT_EQ(held_out->labels.size(), 6u);
  EXPECT_EQ(held_out->namesakes, 3u);
  for (const size_t photo : held_out->set->photos) EXPECT_LT(photo, 18u);
}

TEST(HeldOutTest, TakesNumbersForNoNames) {
  const auto held_out =
      HoldOut(PeopleOf({"0", "1", "0", "1"}, {6, 6, 6, 6}), HoldOutOptions(4, 40));
  ASSERT_THAT(held_out, IsOk());
  EXPECT_EQ(held_out->namesakes, 0u);
  EXPECT_EQ(held_out->labels.size(), 4u);
}

}  // namespace
}  // namespace facegate
