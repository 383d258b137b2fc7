#include "index/rows/card/card_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "index/rows/exact_index.h"
#include "tests/index/rows/card/fake_card.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/rounds.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

std::vector<uint16_t> HalvesOf(std::span<const float> vector) {
  std::vector<uint16_t> halves(vector.size());
  double residual = 0.0;
  EXPECT_TRUE(RoundToHalves(vector, halves, residual));
  return halves;
}

class CardSearchTest : public ::testing::Test {
 protected:
  static constexpr size_t kSize = 32;

  static constexpr size_t kRowBytes = kSize * sizeof(uint16_t);

  void Start(size_t most_wanted = 2048, uint64_t budget = uint64_t{1} << 30,
             size_t least_rows = 0) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(search_,
                                  CardSearch::Start(std::make_unique<FakeCard>(card_, most_wanted),
                                                    {.budget = budget, .least_rows = least_rows}));
    ASSERT_THAT(index().SetFinder(search_->MakeFinder(kSize)), IsOk());
  }
  // Until what the index has is on the card.
  void Settle() {
    ASSERT_THAT(index().BeginMove(2.0), IsOk());  // moves nothing, and tells the finder
    search_->AwaitIdle();
  }
  std::vector<float> Random() { return ValuesOf(RandomEmbedding(random_, kSize)); }
  std::vector<float> Near(std::span<const float> centre, float spread) {
    return ValuesOf(RandomEmbeddingNear(random_, UnitOf(centre), spread));
  }
  void Fill(size_t rows) {
    for (size_t i = 0; i < rows; ++i) oracle_.Add(i / 2 + 1, Random());
  }
  // Queries that the card has answered so far.
  uint64_t on_card() { return index().counts().found; }
  VectorIndex& index() { return oracle_.index(); }

  std::mt19937_64 random_{17};
  const std::shared_ptr<FakeCard::State> card_ = std::make_shared<FakeCard::State>();
  std::unique_ptr<CardSearch> search_;
  OracleIndex oracle_{MakeExactIndex(kSize)};
};

TEST_F(CardSearchTest, EqualsFullScanOnRandomVectors) {
  Fill(3000);
  Start();
  Settle();
  EXPECT_EQ(search_->counts().rows, 3000u);
  for (int round = 0; round < Rounds(5, 200); ++round) oracle_.ExpectExact(Random(), 10);
  EXPECT_EQ(on_card(), static_cast<uint64_t>(Rounds(5, 200)));
  oracle_.ExpectExact(oracle_.rows()[700].vector);
}

// Halves cannot tell these rows apart: the card is asked for more, and then the CPU.
TEST_F(CardSearchTest, EqualsFullScanWhereErrorsExceedTheDifferences) {
  for (const float spread : {0.045f, 1e-4f}) {
    const std::vector<float> centre = Random();
    for (uint64_t i = 0; i < 1000; ++i) oracle_.Add(i % 150 + 1, Near(centre, spread));
  }
  Start(256);
  Settle();
  for (const OracleRow& row : {oracle_.rows()[5], oracle_.rows()[1500]}) {
    oracle_.ExpectExact(row.vector);
    oracle_.ExpectExact(Near(row.vector, 0.3f));
  }
}

TEST_F(CardSearchTest, LeavesToTheProcessorWhatItCannotProve) {
  const std::vector<float> twin = Random();
  for (uint64_t i = 0; i < 1000; ++i) oracle_.Add(1 + (i * 37) % 500, twin);
  Start(256);
  Settle();
  oracle_.ExpectExact(twin, 10);
  EXPECT_EQ(on_card(), 0u);
  EXPECT_EQ(search_->counts().queries, 2u) << "for few rows, and for as many as it can";
}

// A group's many templates take the places of others among the rows that the card gives.
TEST_F(CardSearchTest, AsksForMoreWhereOneGroupTakesAllPlaces) {
  const std::vector<float> centre = Random();
  for (int i = 0; i < 300; ++i) oracle_.Add(1, Near(centre, 0.1f));
  for (uint64_t i = 0; i < 700; ++i) oracle_.Add(i + 2, Random());
  Start();
  Settle();
  oracle_.ExpectExact(centre, 2);
  EXPECT_EQ(on_card(), 1u);
  EXPECT_EQ(search_->counts().queries, 2u);
}

TEST_F(CardSearchTest, HasProvedItWhereItHasSeenAllGroups) {
  for (uint64_t i = 0; i < 1000; ++i) oracle_.Add(i % 40, Random());
  Start();
  Settle();
  oracle_.ExpectExact(Random(), 50);
  EXPECT_EQ(on_card(), 1u);
  EXPECT_EQ(search_->counts().queries, 2u) << "all rows come at the second time";
}

TEST_F(CardSearchTest, EqualsFullScanWhereAllScoresAreNegative) {
  const std::vector<float> centre = Random();
  for (uint64_t i = 0; i < 2000; ++i) oracle_.Add(i + 1, Near(centre, 0.2f));
  Start();
  Settle();
  for (int i = 0; i < 900; ++i) oracle_.RemoveAt(random_() % oracle_.rows().size());
  oracle_.Move(0.0);
  Settle();
  std::vector<float> opposite = centre;
  for (float& value : opposite) value = -value;
  oracle_.ExpectExact(opposite, 10);
}

TEST_F(CardSearchTest, ScansWhatIsNotOnTheCardYet) {
  Fill(2000);
  Start();
  Settle();
  for (uint64_t i = 0; i < 100; ++i) oracle_.Add(5000 + i, Random());
  oracle_.ExpectExact(oracle_.rows().back().vector, 3);
  EXPECT_EQ(on_card(), 1u);
  search_->AwaitIdle();
  EXPECT_EQ(search_->counts().rows, 2000u) << "so few are not worth it";
  for (uint64_t i = 0; i < 300; ++i) oracle_.Add(6000 + i, Random());
  oracle_.ExpectExact(oracle_.rows().back().vector, 3);
  search_->AwaitIdle();
  EXPECT_EQ(search_->counts().rows, 2400u);
  oracle_.ExpectExact(oracle_.rows().back().vector, 3);
}

TEST_F(CardSearchTest, EqualsFullScanAmidChanges) {
  Start();
  for (int round = 0; round < Rounds(6000, 200'000); ++round) {
    if (random_() % 5 < 3 || oracle_.rows().empty()) {
      oracle_.Add(random_() % 2000 + 1, Random());
    } else {
      oracle_.RemoveAt(random_() % oracle_.rows().size());
    }
    if (round % 300 == 299) oracle_.ExpectExact(Random(), 10);
    if (round % 900 == 899) oracle_.Move(0.1);
    if (round % 1000 == 999) Settle();
  }
  EXPECT_GT(on_card(), 5u);
}

TEST_F(CardSearchTest, WipesWhatHasLeftTheIndex) {
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

TEST_F(CardSearchTest, GivesBackTheMemoryOfWhatHasGone) {
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
TEST_F(CardSearchTest, PutsSmallSlabsTogether) {
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

TEST_F(CardSearchTest, ScansWhatHasNoRoomOnTheCard) {
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
TEST_F(CardSearchTest, FindsRowsOfASegmentThatLieApart) {
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
TEST_F(CardSearchTest, KeepsATightCardFullAmidChanges) {
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

TEST_F(CardSearchTest, AsksNothingMoreOfACardThatIsFull) {
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

TEST_F(CardSearchTest, TakesInWhatWasLeftOnceThereIsRoom) {
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

TEST_F(CardSearchTest, LeavesSmallIndexesToTheProcessor) {
  Start(2048, uint64_t{1} << 30, 2000);
  Fill(1999);
  Settle();
  EXPECT_EQ(card_->used, 0u);
  Fill(1);
  Settle();
  EXPECT_EQ(search_->counts().rows, 2000u);
}

TEST_F(CardSearchTest, ServesManyIndexesWithinOneBudget) {
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

// A vector that is no unit vector, which only a fault could bring: what half precision says of it
// is not known.
TEST_F(CardSearchTest, ScansVectorsThatAreNoUnitVectors) {
  Fill(1500);
  std::vector<float> longer = Random();
  for (float& value : longer) value *= 3.0f;
  oracle_.Add(9000, longer);
  oracle_.Add(9001, std::vector<float>(kSize, std::numeric_limits<float>::quiet_NaN()));
  Fill(1000);
  Start();
  Settle();
  EXPECT_GT(search_->counts().rows, 1000u);
  oracle_.ExpectExact(Random(), 10);
  oracle_.ExpectExact(longer, 10);
}

TEST_F(CardSearchTest, GoesOnWithoutACardThatFails) {
  Fill(2000);
  Start();
  Settle();
  card_->on_search = [] { return Internal("an illegal memory access"); };
  oracle_.ExpectExact(Random(), 10);
  card_->on_search = [] { return OkStatus(); };
  oracle_.ExpectExact(Random(), 10);
  EXPECT_TRUE(search_->counts().has_failed);
  EXPECT_EQ(on_card(), 0u);
}

TEST_F(CardSearchTest, GivesUpEverythingOnACardThatFails) {
  Fill(2000);
  Start();
  Settle();
  card_->on_search = [] { return Internal("an illegal memory access"); };
  oracle_.ExpectExact(Random(), 10);
  Settle();
  EXPECT_EQ(card_->used, 0u);
  EXPECT_EQ(search_->counts().rows, 0u);
}

TEST_F(CardSearchTest, GoesOnWithoutACardThatTakesNoRows) {
  card_->on_write = [] { return Internal("an illegal memory access"); };
  Fill(2000);
  Start();
  Settle();
  oracle_.ExpectExact(Random(), 10);
  EXPECT_TRUE(search_->counts().has_failed);
  EXPECT_EQ(card_->used, 0u);
}

TEST_F(CardSearchTest, AsksAgainWhereASearchHadNoRoom) {
  Fill(2000);
  Start();
  Settle();
  card_->on_search = [] { return Status(StatusCode::kResourceExhausted, "no room"); };
  oracle_.ExpectExact(Random(), 10);
  card_->on_search = [] { return OkStatus(); };
  oracle_.ExpectExact(Random(), 10);
  EXPECT_FALSE(search_->counts().has_failed);
  EXPECT_EQ(on_card(), 1u);
}

// A card that is slow, until it is released.
class SlowCardTest : public CardSearchTest {
 protected:
  SlowCardTest() {
    Fill(1000);
    Start();
    Settle();
    card_->on_search = [this] {
      at_work_ = true;
      while (held_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return OkStatus();
    };
  }
  ~SlowCardTest() override { held_ = false; }
  void AwaitWork() {
    while (!at_work_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  std::atomic<bool> held_{true};
  std::atomic<bool> at_work_{false};
};

TEST_F(SlowCardTest, LooksOnceForAllWhoWait) {
  std::vector<std::thread> callers;
  for (int i = 0; i < 9; ++i) {
    callers.emplace_back([this, query = Random()] { oracle_.ExpectExact(query, 3); });
    if (i == 0) AwaitWork();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  held_ = false;
  for (std::thread& caller : callers) caller.join();
  EXPECT_THAT(card_->passes, ::testing::ElementsAre(1u, 8u));
}

TEST_F(SlowCardTest, LetsACallerGoWithinMilliseconds) {
  const std::vector<float> query = Random();
  const auto stop = [this]() -> Status {
    return at_work_ ? Status(StatusCode::kCancelled, "gone") : OkStatus();
  };
  EXPECT_EQ(index().Search(query, 3, stop).status().code(), StatusCode::kCancelled);
}

TEST_F(SlowCardTest, SearchesOnTheProcessorOnceItIsClosed) {
  std::thread caller([this, query = Random()] { oracle_.ExpectExact(query, 3); });
  AwaitWork();
  std::thread closing([this] { search_.reset(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  oracle_.ExpectExact(Random(), 3);
  held_ = false;
  closing.join();
  caller.join();
  oracle_.ExpectExact(Random(), 3);
}

// Rows come, go and move while others search: each search finds what its view had.
TEST_F(CardSearchTest, FindsWhatWasThereWhileRowsComeGoAndMove) {
  Fill(3000);
  Start();
  Settle();
  std::mutex mutex;  // the index's callers order changes and views like that
  std::atomic<bool> done{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&, query = Random()] {
      while (!done) {
        std::unique_ptr<IndexView> view;
        std::vector<OracleRow> rows;
        {
          const std::lock_guard lock(mutex);
          oracle_.RemoveAt(0);
          oracle_.Add(oracle_.rows().back().group + 1, query);
          auto taken = index().View();
          ASSERT_THAT(taken, IsOk());
          view = *std::move(taken);
          rows = oracle_.rows();
        }
        const std::vector<float> asked = rows[rows.size() / 2].vector;
        const std::vector<std::span<const float>> queries{asked};
        const auto found = view->Search(queries, {.k = 5});
        ASSERT_THAT(found, IsOk());
        ExpectSame(found->front(), FullScan(rows, asked, 5));
      }
    });
  }
  for (int round = 0; round < Rounds(20, 500); ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::lock_guard lock(mutex);
    oracle_.Move(0.02);
    ASSERT_THAT(index().BeginMove(2.0), IsOk());
  }
  done = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_GT(on_card(), 10u);
}

}  // namespace
}  // namespace facegate
