#include "trainer/measure/person_resampling.h"

#include <gtest/gtest.h>

#include <vector>

namespace facegate {
namespace {

// `pairs` genuine pairs of each of `people`; those of the first `bad` people are errors.
std::vector<PersonTrial> TrialsOfPeople(size_t people, size_t pairs, size_t bad) {
  std::vector<PersonTrial> trials;
  for (size_t person = 0; person < people; ++person) {
    for (size_t i = 0; i < pairs; ++i) {
      trials.push_back({.first = person, .second = person, .error = person < bad});
    }
  }
  return trials;
}

TEST(PersonResamplingTest, TheIntervalHoldsTheShare) {
  const PersonResampling resampling(100, 1);
  const Share share = resampling.ErrorShare(TrialsOfPeople(100, 3, 20));
  EXPECT_DOUBLE_EQ(share.value, 0.2);
  EXPECT_GT(share.low, 0.08);
  EXPECT_LT(share.low, 0.17);
  EXPECT_GT(share.high, 0.23);
  EXPECT_LT(share.high, 0.32);
}

// More pairs of the same people tell nothing new where a person's pairs go wrong together.
TEST(PersonResamplingTest, MorePairsOfTheSamePeopleDoNotNarrowIt) {
  const PersonResampling resampling(50, 1);
  const Share few = resampling.ErrorShare(TrialsOfPeople(50, 1, 10));
  const Share many = resampling.ErrorShare(TrialsOfPeople(50, 40, 10));
  EXPECT_DOUBLE_EQ(few.low, many.low);
  EXPECT_DOUBLE_EQ(few.high, many.high);
}

TEST(PersonResamplingTest, PairsOfTwoPeopleCountAsOftenAsBothWereDrawn) {
  // One person is in all errors: the interval reaches to rates without this person.
  std::vector<PersonTrial> trials;
  for (size_t a = 0; a < 12; ++a) {
    for (size_t b = 0; b < a; ++b) trials.push_back({.first = a, .second = b, .error = b == 0});
  }
  const Share share = PersonResampling(12, 1).ErrorShare(trials);
  EXPECT_EQ(share.low, 0.0);
  EXPECT_GT(share.high, 2.0 * share.value);
}

TEST(PersonResamplingTest, WithoutErrorsItIsAsWideAsThePeopleAreFew) {
  const PersonResampling resampling(30, 1);
  const Share share = resampling.ErrorShare(TrialsOfPeople(30, 10, 0));
  EXPECT_EQ(share.low, 0.0);
  EXPECT_DOUBLE_EQ(share.high, ShareOf(0, 30).high);
}

TEST(PersonResamplingTest, NothingIsUnknown) {
  const Share share = PersonResampling(0, 1).ErrorShare({});
  EXPECT_EQ(share.low, 0.0);
  EXPECT_EQ(share.high, 1.0);
}

TEST(PersonResamplingTest, FollowsFromTheSeed) {
  // People with unequal numbers of pairs: hardly two drawings give the same share.
  std::vector<PersonTrial> trials;
  for (size_t person = 0; person < 40; ++person) {
    for (size_t i = 0; i <= person; ++i) {
      trials.push_back({.first = person, .second = person, .error = person % 3 == 0});
    }
  }
  const Share share = PersonResampling(40, 7).ErrorShare(trials);
  EXPECT_EQ(PersonResampling(40, 7).ErrorShare(trials).low, share.low);
  EXPECT_NE(PersonResampling(40, 8).ErrorShare(trials).low, share.low);
}

}  // namespace
}  // namespace facegate
