// These tests ask what becomes of rows, of slots and of searches when rows move closer together.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "index/rows/exact_index.h"
#include "index/rows/row_table.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/rounds.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

class RowMoveTest : public ::testing::Test {
 protected:
  static constexpr size_t kSize = 20;

  std::vector<float> Random() {
    const Embedding embedding = RandomEmbedding(random_, kSize);
    return {embedding.values().begin(), embedding.values().end()};
  }
  void Fill(size_t rows) {
    for (size_t i = 0; i < rows; ++i) oracle_.Add(i / 2 + 1, Random());
  }
  // Every second row.
  void RemoveHalf() {
    for (size_t place = 0; place < oracle_.rows().size(); ++place) oracle_.RemoveAt(place);
  }
  VectorIndex& index() { return oracle_.index(); }

  std::mt19937_64 random_{3};
  OracleIndex oracle_{MakeExactIndex(kSize)};
};

TEST_F(RowMoveTest, KeepsAnswersAndGivesBackPlaces) {
  Fill(7000);
  RemoveHalf();
  EXPECT_EQ(index().removed(), 3500u);
  oracle_.ExpectExact(Random());
  EXPECT_EQ(oracle_.Move(0.125), 3500u);
  EXPECT_EQ(index().removed(), 0u);
  oracle_.ExpectRowsInPlace();
  oracle_.ExpectExact(Random());
}

TEST_F(RowMoveTest, LeavesWhatHasLostLittle) {
  Fill(3000);
  for (size_t i = 0; i < 20; ++i) oracle_.RemoveAt(i * 100);
  EXPECT_EQ(oracle_.Move(0.125), 0u);
  EXPECT_EQ(index().removed(), 20u);
  EXPECT_EQ(oracle_.Move(0.0), 2980u);
  EXPECT_EQ(index().removed(), 0u);
  oracle_.ExpectExact(Random());
}

TEST_F(RowMoveTest, MovesWhatWasRemovedBeforeAMark) {
  Fill(3000);
  oracle_.RemoveAt(0);
  oracle_.RemoveAt(2500);
  oracle_.ExpectExact(Random(), 1);  // takes a snapshot
  const uint64_t mark = MarkSnapshots();
  oracle_.ExpectExact(Random(), 1);
  oracle_.RemoveAt(500);
  oracle_.ExpectExact(Random(), 1);
  EXPECT_GT(oracle_.Move(2.0, mark), 1000u);
  EXPECT_EQ(index().removed(), 1u) << "the one of after the mark";
  oracle_.ExpectExact(Random());
}

TEST_F(RowMoveTest, OfRowsThatAreAllGoneLeavesNothing) {
  Fill(500);
  while (!oracle_.rows().empty()) oracle_.RemoveAt(0);
  EXPECT_EQ(oracle_.Move(0.125), 0u);
  EXPECT_EQ(index().removed(), 0u);
  oracle_.ExpectExact(Random());
  Fill(100);
  oracle_.ExpectExact(Random());
}

TEST_F(RowMoveTest, KeepsWhatIsPromised) {
  Fill(60);
  ASSERT_TRUE(index().TryReserve(4));
  oracle_.RemoveAt(0);
  EXPECT_EQ(oracle_.Move(0.0), 59u);
  for (uint64_t id = 1001; id <= 1004; ++id) index().Add(id, id, Random());
  EXPECT_EQ(index().size(), 63u);
}

// Rows are removed, change their group and come while others are on their way.
TEST_F(RowMoveTest, FollowsChangesMeanwhile) {
  Fill(1300);
  RemoveHalf();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto move, index().BeginMove(0.125));
  ASSERT_NE(move, nullptr);
  const auto change = [&] {
    oracle_.RemoveAt(random_() % oracle_.rows().size());
    oracle_.SetGroupAt(random_() % oracle_.rows().size(), 5000);
    oracle_.Add(6000, Random());
    oracle_.ExpectExact(Random(), 10);
  };
  change();
  ASSERT_THAT(move->Copy(), IsOk());
  for (int i = 0; i < 20; ++i) change();
  ASSERT_THAT(index().TakeOver(*move), IsOk());
  for (int i = 0; i < 20; ++i) change();
  oracle_.ExpectRowsInPlace();
  oracle_.EndMove(*move);
  for (int i = 0; i < 20; ++i) change();
  oracle_.ExpectRowsInPlace();
}

TEST_F(RowMoveTest, LeavesAViewWhatItHad) {
  Fill(1000);
  const std::vector<float> query = oracle_.rows()[10].vector;
  const std::vector<std::span<const float>> queries{query};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto view, index().View());
  const auto before = *view->Search(queries, {.k = 500});
  // Beside the row that is found.
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20; ++i) oracle_.RemoveAt(11);
    EXPECT_GT(oracle_.Move(0.0), 0u);
  }
  EXPECT_EQ(*view->Search(queries, {.k = 500}), before) << "what it reads has moved twice";
  oracle_.ExpectExact(query);
}

TEST_F(RowMoveTest, FindsWhatThereIsAmidChangesAndMoves) {
  for (int round = 0; round < Rounds(3000, 1'000'000); ++round) {
    const uint64_t dice = random_() % 100;
    if (dice < 55 || oracle_.rows().empty()) {
      oracle_.Add(random_() % 300 + 1, Random());
    } else if (dice < 90) {
      oracle_.RemoveAt(random_() % oracle_.rows().size());
    } else if (dice < 97) {
      oracle_.SetGroupAt(random_() % oracle_.rows().size(), random_() % 300 + 1);
    } else if (random_() % static_cast<uint64_t>(Rounds(1, 100)) == 0) {
      oracle_.Move(random_() % 2 == 0 ? 0.0 : 0.3);
    }
    if (round % Rounds(100, 2000) == 99) oracle_.ExpectExact(Random(), random_() % 2 == 0 ? 1 : 20);
  }
  oracle_.ExpectRowsInPlace();
}

}  // namespace
}  // namespace facegate
