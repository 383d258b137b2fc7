// These tests ask what the rows of an index take of a card, and what is left on it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "index/rows/card/half.h"
#include "tests/index/rows/card/card_search_fixture.h"

namespace facegate {
namespace {

class CardMemoryTest : public CardSearchTest {};

std::vector<uint16_t> HalvesOf(std::span<const float> vector) {
  std::vector<uint16_t> halves(vector.size());
  double residual = 0.0;
  EXPECT_TRUE(RoundToHalves(vector, halves, residual));
  return halves;
}

TEST_F(CardMemoryTest, WipesWhatHasLeftTheIndex) {
  Fill(1000);
  const std::vector<float> gone = oracle_.rows()[300].vector;
  Start();
  Settle();
  ASSERT_TRUE(card_->Has(HalvesOf(gone)));
  oracle_.RemoveAt(300);
  oracle_.Move(0.0);
  Settle();
  EXPECT_FALSE(card_->Has(HalvesOf(gone)));
  EXPECT_TRUE(card_->Has(HalvesOf(oracle_.rows()[300].vector)));
  oracle_.ExpectExact(gone, 5);
}

TEST_F(CardMemoryTest, GivesBackTheMemoryOfWhatHasGone) {
  Fill(24'000);
  Start();
  Settle();
  const size_t before = card_->used;
  while (oracle_.rows().size() > 2000) oracle_.RemoveAt(oracle_.rows().size() - 1);
  oracle_.Move(0.1);
  Settle();
  EXPECT_LT(card_->used, before / 2);
  EXPECT_EQ(search_->counts().rows, oracle_.rows().size());
  EXPECT_EQ(search_->counts().bytes, card_->used);
  ASSERT_THAT(index().SetFinder(nullptr), IsOk());
  EXPECT_EQ(card_->used, 0u);
  EXPECT_EQ(search_->counts().rows, 0u);
}

// Small pieces come one after the other, and few slabs are left of them.
TEST_F(CardMemoryTest, PutsSmallSlabsTogether) {
  Start();
  size_t most = 0;
  for (int round = 0; round < 30; ++round) {
    Fill(1500);
    Settle();
    const std::lock_guard lock(card_->mutex);
    most = std::max(most, card_->memory.size());
  }
  EXPECT_LE(most, 5u);
  EXPECT_EQ(search_->counts().rows, 45'000u);
  EXPECT_LT(card_->used, 3 * 45'000 * kRowBytes);
  oracle_.ExpectExact(Random(), 3);
}

TEST_F(CardMemoryTest, ScansWhatHasNoRoomOnTheCard) {
  Fill(10'000);
  Start(2048, 8192 * kRowBytes);
  Settle();
  EXPECT_EQ(search_->counts().rows_left, 10'000u - 8192u);
  EXPECT_EQ(search_->counts().rows, 8192u);
  oracle_.ExpectExact(Random(), 10);
  oracle_.ExpectExact(oracle_.rows().back().vector, 1);
  EXPECT_EQ(on_card(), 2u);
}

// A segment that grew has rows in two slabs; the older one is packed behind the other, and what the
// segment gets next comes there.
TEST_F(CardMemoryTest, FindsRowsOfASegmentThatLieApart) {
  Fill(5000);
  Start();
  Settle();
  Fill(300);
  Settle();
  for (size_t i = 0; i < 400; ++i) oracle_.RemoveAt(0);
  for (size_t i = 0; i < 300; ++i) oracle_.RemoveAt(300);
  oracle_.Move(0.1);
  Settle();
  Fill(300);
  Settle();
  ASSERT_EQ(search_->counts().rows, oracle_.rows().size());
  for (size_t place = oracle_.rows().size() - 300; place < oracle_.rows().size(); place += 7) {
    oracle_.ExpectExact(oracle_.rows()[place].vector, 1);
  }
}

// What is removed and comes anew leaves holes, for which a tight card has no other room.
TEST_F(CardMemoryTest, KeepsATightCardFullAmidChanges) {
  Fill(20'000);
  Start(2048, 16'384 * kRowBytes);
  Settle();
  ASSERT_EQ(search_->counts().rows, 16'384u);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 4000; ++i) oracle_.RemoveAt(oracle_.rows().size() - 1);
    Fill(4000);
    oracle_.Move(0.1);
    Settle();
    EXPECT_GT(search_->counts().rows, 10'000u) << round;
  }
  oracle_.ExpectExact(Random(), 3);
}

TEST_F(CardMemoryTest, AsksNothingMoreOfACardThatIsFull) {
  Fill(10'000);
  Start(2048, uint64_t{1} << 30);
  card_->capacity = 8192 * kRowBytes;
  Settle();
  const size_t before = card_->allocations;
  for (int i = 0; i < 5; ++i) oracle_.ExpectExact(Random(), 3);
  search_->AwaitIdle();
  EXPECT_EQ(card_->allocations, before);
  EXPECT_EQ(on_card(), 5u);
}

TEST_F(CardMemoryTest, TakesInWhatWasLeftOnceThereIsRoom) {
  Start(2048, 16'384 * kRowBytes);
  OracleIndex other(MakeExactIndex(kSize));
  ASSERT_THAT(other.index().SetFinder(search_->MakeFinder(kSize)), IsOk());
  for (uint64_t i = 0; i < 12'000; ++i) other.Add(i + 1, Random());
  ASSERT_THAT(other.index().BeginMove(2.0), IsOk());
  search_->AwaitIdle();
  Fill(8000);
  Settle();
  EXPECT_GT(search_->counts().rows_left, 3000u);
  ASSERT_THAT(other.index().SetFinder(nullptr), IsOk());
  Settle();
  EXPECT_EQ(search_->counts().rows, 8000u);
  EXPECT_EQ(search_->counts().rows_left, 0u);
}

TEST_F(CardMemoryTest, LeavesSmallIndexesToTheProcessor) {
  Start(2048, uint64_t{1} << 30, 2000);
  Fill(1999);
  Settle();
  EXPECT_EQ(card_->used, 0u);
  Fill(1);
  Settle();
  EXPECT_EQ(search_->counts().rows, 2000u);
}

TEST_F(CardMemoryTest, ServesManyIndexesWithinOneBudget) {
  Start(2048, 12'288 * kRowBytes);
  OracleIndex other(MakeExactIndex(kSize));
  ASSERT_THAT(other.index().SetFinder(search_->MakeFinder(kSize)), IsOk());
  Fill(8000);
  for (uint64_t i = 0; i < 8000; ++i) other.Add(i + 1, Random());
  Settle();
  ASSERT_THAT(other.index().BeginMove(2.0), IsOk());
  search_->AwaitIdle();
  EXPECT_EQ(search_->counts().rows, 12'288u);
  for (int round = 0; round < 3; ++round) {
    oracle_.ExpectExact(Random(), 5);
    other.ExpectExact(Random(), 5);
  }
}

}  // namespace
}  // namespace facegate
