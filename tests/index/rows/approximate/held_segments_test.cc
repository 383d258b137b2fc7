// What an approximate finder holds of a table whose rows move.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "index/rows/approximate/approximate_finder.h"
#include "index/rows/row_scan.h"
#include "index/rows/row_table.h"
#include "tests/support/random_embedding.h"

namespace facegate {
namespace {

// Counts the segments that there are.
class CountingScan final : public RowScan {
 public:
  std::unique_ptr<SegmentScan> Follow(size_t /*capacity*/) const override {
    return std::make_unique<Counter>(segments_);
  }
  std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> /*queries*/) const override {
    return nullptr;
  }
  size_t scanned_at_once() const override { return 1; }
  int segments() const { return segments_; }

 private:
  class Counter final : public SegmentScan {
   public:
    explicit Counter(std::atomic<int>& segments) : segments_(segments) { ++segments_; }
    ~Counter() override { --segments_; }
    void Added(const Segment& /*segment*/, size_t /*row*/) override {}

   private:
    std::atomic<int>& segments_;
  };

  mutable std::atomic<int> segments_{0};
};

class HeldSegmentsTest : public ::testing::TestWithParam<ApproximateKind> {
 protected:
  HeldSegmentsTest() {
    std::mt19937_64 random(17);
    for (uint64_t id = 1; id <= 1500; ++id) {
      while (!table_.TryReserve(1)) table_.AddSegment();
      slots_.push_back(table_.Add(id, id, RandomEmbedding(random, kSize).values()));
    }
  }
  // A null thread: a test lets it follow.
  void Begin(const std::shared_ptr<FollowThread>& thread) {
    finder_ = MakeApproximateFinder(GetParam(), kSize, thread, {.least_rows = 400});
    finder_->Follow(table_.Snapshot());
  }
  // So many of ten rows go, and all others move.
  void RemoveAndMove(size_t removed = 1) {
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (i % 10 < removed) table_.Remove(slots_[i]);
    }
    auto move = table_.BeginMove(0.0, 0);
    ASSERT_TRUE(move.has_value());
    table_.Copy(*move);
    table_.TakeOver(*move);
    table_.EndMove(*move);
    finder_->Follow(table_.Snapshot());
  }

  static constexpr size_t kSize = 16;

  const CountingScan scan_;
  RowTable table_{kSize, scan_};
  std::vector<RowTable::Slot> slots_;
  std::shared_ptr<RowFinder> finder_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, HeldSegmentsTest,
                         ::testing::Values(ApproximateKind::kHnsw, ApproximateKind::kIvf));

TEST_P(HeldSegmentsTest, LetsGoOfWhatHasMoved) {
  const auto thread = std::make_shared<FollowThread>();
  Begin(thread);
  thread->AwaitIdle();
  ASSERT_EQ(finder_->state().rows, 1500u);
  RemoveAndMove();
  thread->AwaitIdle();
  EXPECT_EQ(finder_->state().rows, 1350u);
  const int held = scan_.segments();
  finder_.reset();
  EXPECT_EQ(held, scan_.segments());
}

TEST_P(HeldSegmentsTest, HoldsNothingOfBeforeWhileItWaits) {
  Begin(nullptr);
  RemoveAndMove(9);  // what is left is not worth following
  const int held = scan_.segments();
  finder_.reset();
  EXPECT_EQ(held, scan_.segments());
}

TEST_P(HeldSegmentsTest, LetsGoBeforeItFollows) {
  Begin(nullptr);
  auto follower = std::dynamic_pointer_cast<Follower>(finder_);
  follower->FollowNow({});
  RemoveAndMove();
  follower->LetGo();
  EXPECT_EQ(finder_->state().rows, 1350u);
  const int held = scan_.segments();
  follower.reset();
  finder_.reset();
  EXPECT_EQ(held, scan_.segments());
}

TEST_P(HeldSegmentsTest, LetsGoOfWhatMovesWhileItTakesIn) {
  Begin(nullptr);
  int asked = 0;
  int held = 0;
  std::dynamic_pointer_cast<Follower>(finder_)->FollowNow([&] {
    asked += 1;
    if (asked == 8) RemoveAndMove();
    if (asked == 9) held = scan_.segments();
    return OkStatus();
  });
  EXPECT_EQ(finder_->state().rows, 1350u);
  finder_.reset();
  EXPECT_EQ(held, scan_.segments());
}

}  // namespace
}  // namespace facegate
