#include "server/engine/assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <utility>

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Assigned = std::vector<std::optional<size_t>>;

// The largest sum there is, by trying everything.
double BestByTrying(size_t rows, size_t row, const std::vector<WeightedPair>& pairs,
                    std::set<size_t>& taken) {
  if (row == rows) return 0.0;
  double best = BestByTrying(rows, row + 1, pairs, taken);
  for (const WeightedPair& pair : pairs) {
    if (pair.row != row || !taken.insert(pair.column).second) continue;
    best = std::max(best, pair.weight + BestByTrying(rows, row + 1, pairs, taken));
    taken.erase(pair.column);
  }
  return best;
}

// The sum of an assignment, which must be a valid one.
double SumOf(const Assigned& assigned, const std::vector<WeightedPair>& pairs) {
  std::map<std::pair<size_t, size_t>, double> weights;
  for (const WeightedPair& pair : pairs) weights[{pair.row, pair.column}] = pair.weight;
  std::set<size_t> taken;
  double sum = 0.0;
  for (size_t row = 0; row < assigned.size(); ++row) {
    if (!assigned[row].has_value()) continue;
    const auto weight = weights.find({row, *assigned[row]});
    EXPECT_TRUE(weight != weights.end()) << "row " << row << " has a column that was not given";
    EXPECT_TRUE(taken.insert(*assigned[row]).second) << "column twice: " << *assigned[row];
    if (weight != weights.end()) sum += weight->second;
  }
  return sum;
}

// The weights are small whole numbers when `coarse`, so that there are many ties.
std::vector<WeightedPair> RandomPairs(std::mt19937_64& random, size_t rows, size_t columns,
                                      double density, bool coarse) {
  std::uniform_real_distribution<double> uniform;
  std::vector<WeightedPair> pairs;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      if (uniform(random) >= density) continue;
      const double weight = coarse ? static_cast<double>(random() % 4) : uniform(random);
      pairs.push_back({.row = row, .column = column, .weight = weight});
    }
  }
  std::shuffle(pairs.begin(), pairs.end(), random);
  return pairs;
}

TEST(AssignmentTest, IsTheBestOfAll) {
  std::mt19937_64 random(31);
  for (int round = 0; round < 4000; ++round) {
    const size_t rows = random() % 6;
    const size_t columns = random() % 6;
    const double density = std::array{0.2, 0.5, 1.0}[random() % 3];
    const auto pairs = RandomPairs(random, rows, columns, density, round % 2 == 0);
    const Assigned assigned = *BestAssignment(rows, columns, pairs);
    ASSERT_EQ(assigned.size(), rows);
    std::set<size_t> taken;
    EXPECT_NEAR(SumOf(assigned, pairs), BestByTrying(rows, 0, pairs, taken), 1e-12)
        << rows << " x " << columns << ", " << pairs.size() << " pairs";
  }
}

TEST(AssignmentTest, OfNothingIsEmpty) {
  EXPECT_THAT(*BestAssignment(0, 0, {}), IsEmpty());
  EXPECT_THAT(*BestAssignment(0, 5, {}), IsEmpty());
  EXPECT_THAT(*BestAssignment(2, 0, {}), ElementsAre(std::nullopt, std::nullopt));
  EXPECT_THAT(*BestAssignment(2, 3, {}), ElementsAre(std::nullopt, std::nullopt));
}

TEST(AssignmentTest, LeavesRowsOutWhereThereAreMoreOfThem) {
  const std::vector<WeightedPair> pairs{{.row = 0, .column = 0, .weight = 0.1},
                                        {.row = 1, .column = 0, .weight = 0.3},
                                        {.row = 2, .column = 0, .weight = 0.2}};
  EXPECT_THAT(*BestAssignment(3, 1, pairs), ElementsAre(std::nullopt, 0u, std::nullopt));
}

// The greedy choice, 0.9, would cost row 1 more than it gains.
TEST(AssignmentTest, GivesARowItsSecondBestWhereAllGainByIt) {
  const std::vector<WeightedPair> pairs{{.row = 0, .column = 0, .weight = 0.9},
                                        {.row = 0, .column = 1, .weight = 0.8},
                                        {.row = 1, .column = 0, .weight = 0.7}};
  EXPECT_THAT(*BestAssignment(2, 2, pairs), ElementsAre(1u, 0u));
}

// Two small ones are worth less than one large.
TEST(AssignmentTest, LeavesARowOutWhereAllGainByIt) {
  const std::vector<WeightedPair> pairs{{.row = 0, .column = 0, .weight = 0.9},
                                        {.row = 0, .column = 1, .weight = 0.1},
                                        {.row = 1, .column = 0, .weight = 0.2}};
  EXPECT_THAT(*BestAssignment(2, 2, pairs), ElementsAre(0u, std::nullopt));
}

// Moves every row by one to make room for the last.
TEST(AssignmentTest, MovesAWholeChain) {
  constexpr size_t kRows = 50;
  std::vector<WeightedPair> pairs;
  for (size_t row = 0; row < kRows; ++row) {
    pairs.push_back({.row = row, .column = row, .weight = 1.0});
    pairs.push_back({.row = row, .column = row + 1, .weight = 0.999});
  }
  pairs.push_back({.row = kRows, .column = 0, .weight = 1.0});
  const Assigned assigned = *BestAssignment(kRows + 1, kRows + 1, pairs);
  EXPECT_EQ(assigned[kRows], 0u);
  for (size_t row = 0; row < kRows; ++row) EXPECT_EQ(assigned[row], row + 1);
}

TEST(AssignmentTest, TellsSmallestDifferencesApart) {
  const double small = 1e-12;
  const std::vector<WeightedPair> pairs{{.row = 0, .column = 0, .weight = 0.5},
                                        {.row = 0, .column = 1, .weight = 0.5},
                                        {.row = 1, .column = 0, .weight = 0.5 + small},
                                        {.row = 1, .column = 1, .weight = 0.5}};
  EXPECT_THAT(*BestAssignment(2, 2, pairs), ElementsAre(1u, 0u));
}

// A photo of 300 faces with as many candidates each. A known answer lies on the diagonal.
TEST(AssignmentTest, IsQuickForAFullStadium) {
  constexpr size_t kRows = 300;
  constexpr size_t kColumns = 3000;
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> below(0.0, 0.5);
  std::vector<WeightedPair> pairs;
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t column = 0; column < kColumns; ++column) {
      const double weight = column == 10 * row ? 0.6 : below(random);
      pairs.push_back({.row = row, .column = column, .weight = weight});
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  const Assigned assigned = *BestAssignment(kRows, kColumns, pairs);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  for (size_t row = 0; row < kRows; ++row) EXPECT_EQ(assigned[row], 10 * row);
  EXPECT_LT(seconds.count(), 20.0) << "also unoptimised, on a slow machine";
}

// All want the same few: the paths are as long as they get.
TEST(AssignmentTest, IsQuickWhereAllWantTheSame) {
  constexpr size_t kRows = 300;
  constexpr size_t kColumns = 3000;
  std::vector<WeightedPair> pairs;
  double best = 0.0;
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t column = 0; column < kColumns; ++column) {
      const double weight = 1.0 / static_cast<double>(1 + column) +
                            1e-3 * static_cast<double>(row) / static_cast<double>(kRows);
      pairs.push_back({.row = row, .column = column, .weight = weight});
    }
    best += 1.0 / static_cast<double>(1 + row) +
            1e-3 * static_cast<double>(row) / static_cast<double>(kRows);
  }
  const auto begin = std::chrono::steady_clock::now();
  const Assigned assigned = *BestAssignment(kRows, kColumns, pairs);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_NEAR(SumOf(assigned, pairs), best, 1e-9);
  EXPECT_LT(seconds.count(), 20.0) << "also unoptimised, on a slow machine";
}

// 1000 faces with 1000 candidates of their own each: as a full table it would take 8 GB.
TEST(AssignmentTest, NeedsNoRoomForPairsThatAreNotGiven) {
  constexpr size_t kRows = 1000;
  constexpr size_t kColumns = kRows * kRows;
  std::vector<WeightedPair> pairs;
  pairs.reserve(kColumns);
  for (size_t row = 0; row < kRows; ++row) {
    for (size_t i = 0; i < kRows; ++i) {
      const double weight = 1.0 / static_cast<double>(1 + (i + row) % kRows);
      pairs.push_back({.row = row, .column = row * kRows + i, .weight = weight});
    }
  }
  const auto begin = std::chrono::steady_clock::now();
  const Assigned assigned = *BestAssignment(kRows, kColumns, pairs);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  for (size_t row = 0; row < kRows; ++row) {
    EXPECT_EQ(assigned[row], row * kRows + (kRows - row) % kRows);
  }
  EXPECT_LT(seconds.count(), 20.0) << "also unoptimised, on a slow machine";
}

// Each row wants each column: a large picture of a crowd, for a caller who has gone.
TEST(AssignmentTest, EndsWhenItsResultIsNotWantedAnyMore) {
  std::vector<WeightedPair> pairs;
  for (size_t row = 0; row < 100; ++row) {
    for (size_t column = 0; column < 100; ++column) {
      pairs.push_back({.row = row, .column = column, .weight = 1.0});
    }
  }
  int asked = 0;
  const auto gone = [&asked]() -> Status {
    return ++asked < 50 ? OkStatus() : Refuse(Reason::kDeadline, "too late");
  };
  EXPECT_THAT(BestAssignment(100, 100, pairs, gone), RefusedWith(Reason::kDeadline));
  EXPECT_EQ(asked, 50);
}

}  // namespace
}  // namespace facegate
