#include "index/rows/card/card_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "tests/index/rows/card/card_search_fixture.h"
#include "tests/support/rounds.h"

namespace facegate {
namespace {

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
  EXPECT_EQ(search_->counts().rows_left, 0u) << "there is room for them";
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
