#include "index/rows/row_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "index/rows/exact_index.h"
#include "index/rows/row_table.h"
#include "index/rows/search_pool.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// Finds nothing but the rows that it is told, and proves nothing.
class ToldFinder final : public RowFinder {
 public:
  StatusOr<Finding> Find(std::span<const std::span<const float>> queries, size_t wanted,
                         const StopCheck& /*stop*/) override {
    asked.push_back(wanted);
    Finding finding{.coverage = coverage, .queries = std::vector<FoundRows>(queries.size())};
    for (FoundRows& found : finding.queries) {
      found.error = 0.0;
      found.rows.assign(rows.begin(),
                        rows.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, rows.size())));
    }
    return finding;
  }
  size_t most() const override { return 200; }
  void Follow(const RowSnapshot& snapshot) noexcept override {
    const Segment& segment = *snapshot.parts().front().segment;
    coverage = std::make_shared<const Coverage>(
        std::vector<Coverage::Part>{{.segment = segment.serial(), .rows = segment.size()}});
  }
  bool is_approximate() const override { return true; }
  FinderState state() const override { return {.rows = coverage->rows(), .recall = 1.0}; }

  std::vector<FoundRows::Row> rows;
  std::vector<size_t> asked;
  std::shared_ptr<const Coverage> coverage;
};

// Two groups have many rows each, which all look alike; there is a third one.
class ApproximateAnswerTest : public ::testing::Test {
 protected:
  ApproximateAnswerTest() {
    EXPECT_THAT(index_->Reserve(64), IsOk());
    for (uint64_t id = 1; id <= 64; ++id) {
      const float second = id == 64 ? 1.0f : 0.0f;
      index_->Add(id == 64 ? 3 : 1 + id % 2, id, std::vector{1.0f - second, second});
    }
    EXPECT_THAT(index_->SetFinder(finder_), IsOk());
    for (uint32_t row = 0; row < 63; ++row) {
      finder_->rows.push_back(
          {.segment = finder_->coverage->parts().front().segment, .row = row, .score = 1.0f});
    }
  }
  size_t Groups(const RowSearch& search) {
    const std::vector<float> values{1.0f, 0.0f};
    const std::span<const float> query(values);
    const auto view = index_->View();
    EXPECT_THAT(view, IsOk());
    const auto found = (*view)->Search({&query, 1}, search);
    EXPECT_THAT(found, IsOk());
    return found->front().size();
  }

  const std::shared_ptr<ToldFinder> finder_ = std::make_shared<ToldFinder>();
  const std::unique_ptr<VectorIndex> index_ = MakeExactIndex(2);
};

TEST_F(ApproximateAnswerTest, AScanFindsTheGroupsThatFewRowsTakeThePlacesOf) {
  EXPECT_EQ(Groups({.k = 3}), 3u);
  EXPECT_THAT(finder_->asked, ::testing::ElementsAre(64u, 200u));
}

TEST_F(ApproximateAnswerTest, AnExactSearchDoesNotAskIt) {
  EXPECT_EQ(Groups({.k = 3, .exact = true}), 3u);
  EXPECT_THAT(finder_->asked, ::testing::IsEmpty());
}

TEST_F(ApproximateAnswerTest, IsNotAskedForMoreThanReachesTheLeastScore) {
  finder_->rows.back().score = 0.3f;
  EXPECT_EQ(Groups({.k = 3, .least = 0.5}), 2u);
  EXPECT_THAT(finder_->asked, ::testing::ElementsAre(64u));
}

// Looks through all segments but the last one of the index as it was when it was told to follow.
class OlderFinder final : public RowFinder {
 public:
  StatusOr<Finding> Find(std::span<const std::span<const float>> queries, size_t wanted,
                         const StopCheck& /*stop*/) override {
    Finding finding{.coverage = coverage_, .queries = {}};
    for (const auto query : queries) {
      FoundRows found;
      found.error = 0.0;
      for (const Coverage::Part& part : coverage_->parts()) {
        const Segment& segment = SegmentOf(part.segment);
        for (uint32_t row = 0; row < part.rows; ++row) {
          found.rows.push_back({.segment = part.segment,
                                .row = row,
                                .score = CosineScore(query, segment.Vector(row))});
        }
      }
      std::sort(found.rows.begin(), found.rows.end(),
                [](const auto& a, const auto& b) { return a.score > b.score; });
      if (found.rows.size() > wanted) {
        found.beyond = static_cast<double>(found.rows[wanted].score);
        found.rows.resize(wanted);
      }
      finding.queries.push_back(std::move(found));
    }
    return finding;
  }
  size_t most() const override { return 1000; }
  void Follow(const RowSnapshot& snapshot) noexcept override {
    if (!follows_) return;
    follows_ = false;
    snapshot_ = snapshot;
    std::vector<Coverage::Part> parts;
    for (const auto& part : snapshot.parts()) {
      parts.push_back({.segment = part.segment->serial(), .rows = part.end});
    }
    parts.pop_back();
    coverage_ = std::make_shared<const Coverage>(std::move(parts));
  }
  void LetFollow() { follows_ = true; }
  bool is_approximate() const override { return false; }
  FinderState state() const override { return {.rows = coverage_->rows(), .recall = {}}; }

 private:
  const Segment& SegmentOf(uint64_t serial) const {
    return *std::find_if(snapshot_.parts().begin(), snapshot_.parts().end(), [&](const auto& part) {
              return part.segment->serial() == serial;
            })->segment;
  }

  bool follows_ = true;
  RowSnapshot snapshot_;
  std::shared_ptr<const Coverage> coverage_;
};

// A scan that keeps the pool's thread busy until it is released.
class HeldScan final : public RowScan {
 public:
  std::unique_ptr<SegmentScan> Follow(size_t /*capacity*/) const override { return nullptr; }
  std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> /*queries*/) const override {
    return std::make_unique<Held>(*this);
  }
  size_t scanned_at_once() const override { return size_t{1} << 30; }
  mutable std::atomic<bool> is_scanning{false};
  std::atomic<bool> is_held{true};

 private:
  struct Held final : ScanQueries {
    explicit Held(const HeldScan& scan) : owner(scan) {}
    void Scan(const RowPiece& /*piece*/,
              std::span<CandidateSelection> /*selections*/) const override {
      owner.is_scanning = true;
      while (owner.is_held) std::this_thread::yield();
    }
    const HeldScan& owner;
  };
};

// Two searches wait for one scan. Between their views rows have moved, and the finder has followed:
// what it leaves out is the same for both, but not what either's snapshot has.
TEST(RowFinderTest, SearchesThatShareAScanMissNothingThatMovedBetweenThem) {
  constexpr size_t kSize = 64;
  const auto pool = std::make_shared<SearchPool>(1);
  const auto finder = std::make_shared<OlderFinder>();
  std::mt19937_64 random(1);
  OracleIndex oracle(MakeExactIndex(kSize, {.pool = pool}));
  // Up to the end of a segment.
  for (uint64_t id = 1; id <= 21'824; ++id) oracle.Add(id, RandomEmbedding(random, kSize).values());
  for (uint64_t id = 0; id < 9000; ++id) oracle.Add(id, RandomEmbedding(random, kSize).values());
  ASSERT_THAT(oracle.index().SetFinder(finder), IsOk());
  const std::vector<float> wanted = oracle.rows()[3000].vector;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto first, oracle.index().View());
  oracle.RemoveAt(2000);  // of the same segment, which moves
  oracle.Move(0.0);
  for (uint64_t id = 0; id < 17'000; ++id) oracle.Add(id, RandomEmbedding(random, kSize).values());
  finder->LetFollow();
  ASSERT_THAT(oracle.index().BeginMove(2.0), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto second, oracle.index().View());

  const auto held = std::make_shared<HeldScan>();
  RowTable others(kSize, *held);
  const std::vector<std::vector<float>> many(64, wanted);
  for (int i = 0; i < 2000; ++i) {
    while (!others.TryReserve(1)) others.AddSegment();
    others.Add(1, 1, wanted);
  }
  std::jthread blocking([&] {
    EXPECT_THAT(
        pool->Scan({.scan = held, .snapshot = others.Snapshot(), .queries = many, .search = {}},
                   {}),
        IsOk());
  });
  while (!held->is_scanning) std::this_thread::yield();
  const std::vector<std::span<const float>> queries(32, wanted);
  std::array<std::vector<IndexMatch>, 2> found;
  std::array<std::atomic<int>, 2> asked{};
  const auto search = [&](const IndexView& view, size_t which) {
    const auto answers = view.Search(queries, {.k = 1}, [&asked, which] {
      asked[which] += 1;
      return OkStatus();
    });
    ASSERT_THAT(answers, IsOk());
    found[which] = answers->front();
  };
  std::jthread a(search, std::cref(*first), 0);
  std::jthread b(search, std::cref(*second), 1);
  // While they wait they ask.
  while (asked[0] < 20 || asked[1] < 20) std::this_thread::yield();
  held->is_held = false;
  a.join();
  b.join();
  blocking.join();
  EXPECT_EQ(pool->counts().scans, 2u) << "they were scanned together";
  EXPECT_EQ(pool->counts().searches, 3u);
  const std::vector<IndexMatch> right = FullScan(oracle.rows(), wanted, 1);
  ExpectSame(found[0], right);
  ExpectSame(found[1], right);
}

}  // namespace
}  // namespace facegate
