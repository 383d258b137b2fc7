#include "face/base/random.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <span>
#include <vector>

namespace facegate {
namespace {

using ::testing::ElementsAre;

std::vector<int> Shuffled(size_t count, uint64_t seed) {
  std::vector<int> values(count);
  std::iota(values.begin(), values.end(), 0);
  RandomStream random(seed);
  random.Shuffle(std::span(values));
  return values;
}

// Trainings that have begun go on with these orders.
TEST(ShuffleTest, GivesTheSameOrderForTheSameSeed) {
  EXPECT_THAT(Shuffled(8, 1), ElementsAre(0, 3, 7, 1, 2, 6, 5, 4));
}

TEST(ShuffleTest, KeepsEachValueOnce) {
  std::vector<int> values = Shuffled(1000, 7);
  std::sort(values.begin(), values.end());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(values[static_cast<size_t>(i)], i);
}

TEST(ShuffleTest, MakesEachOrderAsLikelyAsAnyOther) {
  RandomStream random(3);
  std::map<std::array<int, 3>, int> counts;
  for (int i = 0; i < 6000; ++i) {
    std::array<int, 3> values = {0, 1, 2};
    random.Shuffle(std::span(values));
    counts[values] += 1;
  }
  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 120);
}

// One number is drawn for each value but the first: what is drawn next does not depend on them.
TEST(ShuffleTest, DrawsOneNumberLessThanThereAreValues) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{5}}) {
    std::vector<int> values(count);
    RandomStream random(11);
    random.Shuffle(std::span(values));
    RandomStream expected(11);
    for (size_t i = 1; i < count; ++i) expected.Next();
    EXPECT_EQ(random.Next(), expected.Next()) << count;
  }
}

}  // namespace
}  // namespace facegate
