#include "index/rows/search_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "index/rows/exact_index.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using namespace std::chrono_literals;

// A scan that takes as long as it is told to, and offers every row with a score of 0.
class SlowScan final : public RowScan {
 public:
  class Queries final : public ScanQueries {
   public:
    explicit Queries(const SlowScan& scan) : scan_(scan) {}
    void Scan(const RowPiece& piece, std::span<CandidateSelection> selections) const override {
      scan_.pieces += 1;
      scan_.most_queries = std::max<size_t>(scan_.most_queries, selections.size());
      if (scan_.throws) throw std::bad_alloc();
      while (scan_.held) std::this_thread::sleep_for(100us);
      if (scan_.slow) std::this_thread::sleep_for(1ms);
      for (CandidateSelection& selection : selections) {
        for (size_t row = piece.begin; row < piece.end; ++row) {
          selection.Offer({.lower = 0,
                           .upper = 0,
                           .group = row,
                           .template_id = row + 1,
                           .vector = piece.segment->Vector(row).data()});
        }
      }
    }

   private:
    const SlowScan& scan_;
  };
  std::unique_ptr<SegmentScan> Follow(size_t /*capacity*/) const override { return nullptr; }
  std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> /*queries*/) const override {
    return std::make_unique<Queries>(*this);
  }
  size_t scanned_at_once() const override { return kDimension * kPieceRows; }

  static constexpr size_t kDimension = 4096;
  std::atomic<bool> held{false};
  std::atomic<bool> throws{false};
  std::atomic<bool> slow{false};  // a millisecond for each piece
  mutable std::atomic<size_t> pieces{0};
  mutable std::atomic<size_t> most_queries{0};
};

class SearchPoolTest : public ::testing::Test {
 protected:
  static constexpr size_t kRows = 3000;

  SearchPoolTest() { Fill(rows_); }
  ~SearchPoolTest() override { scan_->held = false; }
  static void Fill(RowTable& rows) {
    const std::vector<float> zero(SlowScan::kDimension, 0.0f);
    while (!rows.TryReserve(kRows)) rows.AddSegment();
    for (uint64_t id = 1; id <= kRows; ++id) rows.Add(id, id, zero);
  }
  ScanTask Task(size_t queries = 1) const { return Task(scan_, rows_, queries); }
  static ScanTask Task(const std::shared_ptr<SlowScan>& scan, const RowTable& rows,
                       size_t queries = 1) {
    return {.scan = scan,
            .snapshot = rows.Snapshot(),
            .queries = std::vector(queries, std::vector<float>(SlowScan::kDimension)),
            .search = {.k = kRows}};
  }

  const std::shared_ptr<SlowScan> scan_ = std::make_shared<SlowScan>();
  RowTable rows_{SlowScan::kDimension, *scan_};
  SearchPool pool_{2};
};

TEST_F(SearchPoolTest, ScansEveryRowOnce) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ScanOutcome found, pool_.Scan(Task(3), {}));
  ASSERT_EQ(found.candidates.size(), 3u);
  for (const auto& candidates : found.candidates) EXPECT_EQ(candidates.size(), kRows);
  EXPECT_GE(scan_->pieces, 3u);
}

TEST_F(SearchPoolTest, ScansTogetherWhatWaitsTogether) {
  constexpr size_t kCallers = 8;
  scan_->held = true;
  std::atomic<size_t> right{0};
  {
    std::vector<std::jthread> callers;
    for (size_t i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        const auto found = pool_.Scan(Task(), {});
        if (found.ok() && found->candidates.front().size() == kRows) right += 1;
      });
    }
    std::this_thread::sleep_for(50ms);  // they wait
    scan_->held = false;
  }
  EXPECT_EQ(right, kCallers);
  EXPECT_EQ(pool_.counts().searches, kCallers);
  EXPECT_LT(pool_.counts().scans, kCallers);
  EXPECT_GT(scan_->most_queries, 1u);
}

TEST_F(SearchPoolTest, LetsACallerGoWithinMilliseconds) {
  scan_->held = true;
  std::atomic<int> asked{0};
  const auto begin = std::chrono::steady_clock::now();
  const auto found = pool_.Scan(
      Task(), [&] { return ++asked < 4 ? OkStatus() : Refuse(Reason::kDeadline, "as told"); });
  EXPECT_THAT(found, RefusedWith(Reason::kDeadline));
  EXPECT_EQ(asked, 4) << "it asks no more";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s) << "the scan stands still";
  scan_->held = false;
  EXPECT_THAT(pool_.Scan(Task(), {}), IsOk()) << "the next one is served";
}

TEST_F(SearchPoolTest, ServesTheOthersWhenOneGoes) {
  scan_->held = true;
  std::atomic<bool> goes{false};
  StatusOr<ScanOutcome> stays = Internal("not answered");
  StatusOr<ScanOutcome> gone = Internal("not answered");
  {
    const std::jthread first([&] { stays = pool_.Scan(Task(), {}); });
    const std::jthread second([&] {
      gone = pool_.Scan(Task(),
                        [&] { return goes ? Refuse(Reason::kDeadline, "as told") : OkStatus(); });
    });
    std::this_thread::sleep_for(20ms);
    goes = true;
    std::this_thread::sleep_for(20ms);
    scan_->held = false;
  }
  ASSERT_THAT(stays, IsOk());
  EXPECT_EQ(stays->candidates.front().size(), kRows);
  EXPECT_THAT(gone, RefusedWith(Reason::kDeadline));
}

TEST_F(SearchPoolTest, LetsASearchOfAnotherIndexHaveItsTurn) {
  const auto quick = std::make_shared<SlowScan>();
  RowTable others(SlowScan::kDimension, *quick);
  Fill(others);
  scan_->slow = true;
  const std::jthread slow([&] { EXPECT_THAT(pool_.Scan(Task(), {}), IsOk()); });
  while (scan_->pieces == 0) std::this_thread::yield();
  EXPECT_THAT(pool_.Scan(Task(quick, others), {}), IsOk());
  EXPECT_LT(scan_->pieces, kRows / kPieceRows / 2) << "it had to wait for much of the other";
  scan_->slow = false;
}

TEST_F(SearchPoolTest, ForgetsWhatNobodyWaitsForAmidTurns) {
  const auto other = std::make_shared<SlowScan>();
  RowTable others(SlowScan::kDimension, *other);
  Fill(others);
  scan_->slow = other->slow = true;
  const auto gone_soon = [] {
    return [asked = 0]() mutable {
      return ++asked < 8 ? OkStatus() : Refuse(Reason::kDeadline, "as told");
    };
  };
  for (int round = 0; round < 3; ++round) {
    const std::jthread first(
        [&] { EXPECT_THAT(pool_.Scan(Task(), gone_soon()), RefusedWith(Reason::kDeadline)); });
    EXPECT_THAT(pool_.Scan(Task(other, others), gone_soon()), RefusedWith(Reason::kDeadline));
  }
  scan_->slow = other->slow = false;
  EXPECT_THAT(pool_.Scan(Task(), {}), IsOk());
  EXPECT_THAT(pool_.Scan(Task(other, others), {}), IsOk());
}

TEST_F(SearchPoolTest, RefusesWhenThereIsNoMemoryAndGoesOn) {
  scan_->throws = true;
  EXPECT_EQ(pool_.Scan(Task(), {}).status().code(), StatusCode::kResourceExhausted);
  scan_->throws = false;
  EXPECT_THAT(pool_.Scan(Task(), {}), IsOk());
}

// Two searches are scanned together, by the later snapshot. Before the first one scores what was
// found, the other is gone and the rows have moved, so that nobody else holds them.
TEST_F(SearchPoolTest, HoldsTheRowsUntilTheyAreScored) {
  const auto pool = std::make_shared<SearchPool>(1);
  std::mt19937_64 random(1);
  OracleIndex oracle(MakeExactIndex(512, {.pool = pool}));
  for (uint64_t id = 1; id <= 9000; ++id) oracle.Add(id, RandomEmbedding(random, 512).values());
  const std::vector<float> wanted = oracle.rows()[5000].vector;
  const std::vector<std::span<const float>> queries{wanted};
  const auto move_all = [&] {
    while (oracle.rows().front().template_id < 30) oracle.RemoveAt(0);
    for (size_t place = 50; place < oracle.rows().size(); place += 60) oracle.RemoveAt(place);
    oracle.Move(0.0);
  };
  auto first_view = oracle.index().View();
  move_all();
  auto second_view = oracle.index().View();
  ASSERT_TRUE(first_view.ok() && second_view.ok());

  scan_->held = true;
  std::jthread blocks([&] { EXPECT_THAT(pool->Scan(Task(), {}), IsOk()); });
  while (scan_->pieces == 0) std::this_thread::yield();
  std::atomic<bool> second_ended{false};
  std::jthread second([&] {
    EXPECT_THAT((*second_view)->Search(queries, {.k = 1}), IsOk());
    second_view->reset();
    second_ended = true;
  });
  int asked = 0;
  bool moved = false;
  const auto found = (*first_view)->Search(queries, {.k = 1}, [&] {
    // Both wait by then.
    if (++asked < 10 || moved) return OkStatus();
    scan_->held = false;
    while (!second_ended) std::this_thread::yield();
    move_all();
    moved = true;
    return OkStatus();
  });
  EXPECT_EQ(pool->counts().scans, 2u) << "one of them for two searches";
  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(
      found->front().front(),
      (IndexMatch{.group = 5001, .template_id = 5001, .cosine = CosineScore(wanted, wanted)}));
}

TEST_F(SearchPoolTest, ScansForManyIndexesAtOnce) {
  const auto pool = std::make_shared<SearchPool>(3);
  std::mt19937_64 random(1);
  std::vector<Embedding> rows;
  for (int i = 0; i < 8300; ++i) rows.push_back(RandomEmbedding(random, 512));
  std::vector<std::unique_ptr<OracleIndex>> oracles;
  for (size_t i = 0; i < 3; ++i) {
    oracles.push_back(std::make_unique<OracleIndex>(MakeExactIndex(512, {.pool = pool})));
    for (size_t row = 0; row < rows.size(); ++row) {
      oracles.back()->Add(row + 1, rows[(row * (i + 1)) % rows.size()].values());
    }
  }
  std::vector<std::jthread> callers;
  for (unsigned i = 0; i < 6; ++i) {
    callers.emplace_back([&, i] {
      std::mt19937_64 mine(i);
      const Embedding query = RandomEmbedding(mine, 512);
      oracles[i % 3]->ExpectExact(query.values(), i % 2 == 0 ? 1 : 10);
    });
  }
}

}  // namespace
}  // namespace facegate
