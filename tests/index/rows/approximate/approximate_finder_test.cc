#include "index/rows/approximate/approximate_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "face/base/mutex.h"
#include "index/rows/exact_index.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/rounds.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

std::string KindName(const ::testing::TestParamInfo<ApproximateKind>& param) {
  return param.param == ApproximateKind::kHnsw ? "hnsw" : "ivf";
}

class ApproximateFinderTest : public ::testing::TestWithParam<ApproximateKind> {
 protected:
  static constexpr size_t kSize = 16;
  static constexpr size_t kLeastRows = 400;

  std::vector<float> Random() { return ValuesOf(RandomEmbedding(random_, kSize)); }
  std::vector<float> Near(std::span<const float> centre, float spread) {
    return ValuesOf(RandomEmbeddingNear(random_, UnitOf(centre), spread));
  }
  // People with four rows each, of whom twenty look like each other.
  void Fill(size_t rows) {
    std::vector<float> likeness;
    std::vector<float> person;
    for (size_t i = 0; i < rows; ++i) {
      if (i % 80 == 0) likeness = Random();
      if (i % 4 == 0) {
        person = Near(likeness, 0.7f);
        next_group_ += 1;
      }
      oracle_.Add(next_group_, Near(person, 0.4f));
    }
  }
  std::shared_ptr<RowFinder> MakeFinder(double wanted_recall = 0.99) {
    return MakeApproximateFinder(GetParam(), kSize, thread_,
                                 {.least_rows = kLeastRows, .wanted_recall = wanted_recall});
  }
  void SetFinder(double wanted_recall = 0.99) {
    finder_ = MakeFinder(wanted_recall);
    ASSERT_THAT(index().SetFinder(finder_), IsOk());
    thread_->AwaitIdle();
  }
  // Tells the finder what has become of the rows.
  void Follow() {
    ASSERT_THAT(index().BeginMove(2.0), IsOk());
    thread_->AwaitIdle();
  }
  std::vector<float> Probe() {
    return Near(oracle_.rows()[random_() % oracle_.rows().size()].vector, 0.5f);
  }
  // Of the 10 best of a full scan, how many are found.
  double Recall(int probes) {
    size_t wanted = 0;
    size_t found = 0;
    for (int i = 0; i < probes; ++i) {
      const std::vector<float> query = Probe();
      const auto expected = FullScan(oracle_.rows(), query, 10);
      const auto matches = index().Search(query, 10);
      EXPECT_THAT(matches, IsOk());
      wanted += expected.size();
      for (const IndexMatch& match : expected) {
        found += static_cast<size_t>(std::count(matches->begin(), matches->end(), match));
      }
    }
    return static_cast<double>(found) / static_cast<double>(wanted);
  }
  VectorIndex& index() { return oracle_.index(); }
  size_t size() const { return oracle_.rows().size(); }

  std::mt19937_64 random_{17};
  uint64_t next_group_ = 0;
  std::shared_ptr<FollowThread> thread_ = std::make_shared<FollowThread>();
  OracleIndex oracle_{MakeExactIndex(kSize)};
  std::shared_ptr<RowFinder> finder_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, ApproximateFinderTest,
                         ::testing::Values(ApproximateKind::kHnsw, ApproximateKind::kIvf),
                         KindName);

TEST_P(ApproximateFinderTest, FindsAlmostAllThatAFullScanFinds) {
  Fill(3000);
  SetFinder();
  EXPECT_EQ(finder_->state().rows, 3000u);
  EXPECT_GE(Recall(60), 0.95);
  EXPECT_EQ(index().counts().found, 60u) << "the finder was asked";
}

TEST_P(ApproximateFinderTest, GivesExactScores) {
  Fill(1000);
  SetFinder();
  const std::vector<float> query = Probe();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto matches, index().Search(query, 20));
  EXPECT_EQ(matches.size(), 20u);
  for (const IndexMatch& match : matches) {
    const OracleRow& row = oracle_.rows()[match.template_id - 1];
    EXPECT_EQ(match.group, row.group);
    EXPECT_EQ(std::bit_cast<uint32_t>(match.cosine),
              std::bit_cast<uint32_t>(CosineScore(query, row.vector)));
  }
}

TEST_P(ApproximateFinderTest, ScansFewRows) {
  Fill(kLeastRows - 1);
  SetFinder();
  EXPECT_EQ(finder_->state().rows, 0u);
  oracle_.ExpectExact(Random(), 10);
}

TEST_P(ApproximateFinderTest, NeverFindsRemovedRows) {
  Fill(2000);
  SetFinder();
  std::vector<OracleRow> removed;
  const auto expect_none = [&] {
    for (const OracleRow& row : removed) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto matches, index().Search(row.vector, 3));
      for (const IndexMatch& match : matches) EXPECT_NE(match.template_id, row.template_id);
    }
  };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 150; ++i) {
      const size_t place = random_() % size();
      removed.push_back(oracle_.rows()[place]);
      oracle_.RemoveAt(place);
    }
    expect_none();
    EXPECT_GT(oracle_.Move(0.0), 0u);
    expect_none();
    thread_->AwaitIdle();
    expect_none();
  }
}

TEST_P(ApproximateFinderTest, KnowsRowsAgainThatHaveMoved) {
  Fill(2000);
  thread_.reset();
  finder_ = MakeFinder();
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  const auto follower = std::dynamic_pointer_cast<Follower>(finder_);
  follower->FollowNow({});
  for (int i = 0; i < 100; ++i) oracle_.RemoveAt(random_() % size());
  EXPECT_GT(oracle_.Move(0.0), 0u);
  int asked = 0;
  follower->FollowNow([&] {
    asked += 1;
    return OkStatus();
  });
  EXPECT_EQ(asked, 0) << "it does what takes long";
  EXPECT_EQ(finder_->state().rows, size());
  EXPECT_GE(Recall(30), 0.95);
}

TEST_P(ApproximateFinderTest, ForgetsAllWhereAllHasGone) {
  Fill(1000);
  SetFinder();
  while (size() > 0) oracle_.RemoveAt(size() - 1);
  oracle_.Move(0.0);
  Follow();
  EXPECT_EQ(finder_->state().rows, 0u);
  Fill(10);
  oracle_.ExpectExact(Random(), 3);
}

TEST_P(ApproximateFinderTest, FindsRowsAtOnceThatWereAddedLater) {
  Fill(1000);
  SetFinder();
  for (int i = 0; i < 50; ++i) {
    oracle_.Add(10'000 + static_cast<uint64_t>(i), Random());
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto matches,
                                  index().Search(oracle_.rows().back().vector, 1));
    EXPECT_EQ(matches.front().template_id, oracle_.rows().back().template_id);
  }
  EXPECT_EQ(finder_->state().rows, 1000u);
}

TEST_P(ApproximateFinderTest, TakesInWhatCameLater) {
  SetFinder();
  for (int round = 0; round < 12; ++round) {
    Fill(500);
    ASSERT_THAT(index().Search(Random(), 1), IsOk());
    thread_->AwaitIdle();
  }
  EXPECT_GE(finder_->state().rows, size() * 7 / 8);
  EXPECT_GE(Recall(40), 0.95);
}

TEST_P(ApproximateFinderTest, FindsAllWhereAllAreWanted) {
  Fill(600);
  SetFinder();
  for (const size_t k : {size_t{150}, size_t{700}}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto matches, index().Search(Random(), k));
    EXPECT_EQ(matches.size(), 150u);
  }
}

TEST_P(ApproximateFinderTest, FindsVectorsOfAnyKind) {
  Fill(1000);
  std::vector<float> twice = Random();
  for (float& value : twice) value *= 2.0f;
  std::vector<float> strange = Random();
  strange[3] = std::nanf("");
  oracle_.Add(10'001, twice);
  oracle_.Add(10'002, strange);
  Fill(1000);
  SetFinder();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto matches, index().Search(ValuesOf(UnitOf(twice)), 1));
  EXPECT_EQ(matches.front().group, 10'001u);
  // These are no questions for the finder.
  oracle_.ExpectExact(twice, 10);
  oracle_.ExpectExact(strange, 10);
}

TEST_P(ApproximateFinderTest, LeavesAloneWhatItCannotTakeIn) {
  std::vector<float> strange = Random();
  strange[3] = std::nanf("");
  for (uint64_t i = 1; i <= 500; ++i) oracle_.Add(i, strange);
  thread_.reset();
  finder_ = MakeFinder();
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  int asked = 0;
  const auto follow = [&] {
    std::dynamic_pointer_cast<Follower>(finder_)->FollowNow([&] {
      asked += 1;
      return OkStatus();
    });
    return std::exchange(asked, 0);
  };
  EXPECT_GT(follow(), 0);
  ASSERT_THAT(index().Search(Random(), 3), IsOk());
  EXPECT_EQ(follow(), 0);
}

TEST_P(ApproximateFinderTest, EndsASearchWhereverItIsToldTo) {
  Fill(1000);
  SetFinder();
  const std::vector<float> query = Probe();
  const std::vector<std::span<const float>> queries(10, query);
  for (const int stop_at : {1, 3, 10}) {
    int asked = 0;
    const StopCheck stop = [&] {
      asked += 1;
      return asked == stop_at ? Refuse(Reason::kDeadline, "as told") : OkStatus();
    };
    EXPECT_THAT(finder_->Find(queries, 10, stop), RefusedWith(Reason::kDeadline));
    EXPECT_EQ(asked, stop_at) << "it asks no more";
  }
}

TEST_P(ApproximateFinderTest, EndsItsWorkWhereverItIsToldTo) {
  Fill(2000);
  // It asks nobody to let it follow, which is what this test does.
  thread_.reset();
  finder_ = MakeFinder();
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  const auto follower = std::dynamic_pointer_cast<Follower>(finder_);
  for (const int stop_at : {1, 2, 5, 9}) {
    int asked = 0;
    follower->FollowNow([&] {
      asked += 1;
      return asked >= stop_at ? Refuse(Reason::kDeadline, "as told") : OkStatus();
    });
    EXPECT_LE(asked, stop_at + 1) << "once more whether it has failed";
    EXPECT_EQ(finder_->state().rows, 0u);
    ASSERT_THAT(index().SetFinder(finder_), IsOk());
  }
  follower->FollowNow({});
  EXPECT_EQ(finder_->state().rows, 2000u);
}

// Searches for rows themselves tell what recall there is.
TEST_P(ApproximateFinderTest, MeasuresItsRecall) {
  Fill(2000);
  EXPECT_FALSE(MakeFinder()->state().recall.has_value());
  SetFinder(0.0);
  size_t found = 0;
  for (size_t i = 0; i < size(); i += 10) {
    const std::vector<float>& row = oracle_.rows()[i].vector;
    std::vector<float> scores;
    for (size_t j = 0; j < size(); ++j) {
      if (j != i) scores.push_back(CosineScore(row, oracle_.rows()[j].vector));
    }
    std::nth_element(scores.begin(), scores.begin() + 9, scores.end(), std::greater<>());
    const std::span<const float> query(row);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Finding finding, finder_->Find({&query, 1}, 64, {}));
    const auto reached =
        std::count_if(finding.queries.front().rows.begin(), finding.queries.front().rows.end(),
                      [&](const FoundRows::Row& other) { return other.score > scores[9] - 1e-6f; });
    found += static_cast<size_t>(reached) - 1;  // the row itself
  }
  ASSERT_TRUE(finder_->state().recall.has_value());
  EXPECT_NEAR(*finder_->state().recall, static_cast<double>(found) / 2000.0, 0.002);
}

TEST_P(ApproximateFinderTest, LooksHarderUntilItFindsEnough) {
  Fill(2000);
  SetFinder(0.98);
  EXPECT_GE(finder_->state().recall.value_or(0.0), 0.98);
}

TEST_P(ApproximateFinderTest, SearchesAmidChanges) {
  Fill(1500);
  SetFinder();
  SharedMutex mutex;  // as a gallery's
  std::vector<char> removed(10'000, 0);
  std::atomic<bool> ends{false};
  std::atomic<int> wrong{0};
  const auto search = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    while (!ends) {
      const std::vector<float> query = ValuesOf(RandomEmbedding(random, kSize));
      std::unique_ptr<IndexView> view;
      std::vector<char> before;
      {
        const ReaderLock lock(mutex);
        view = *index().View();
        before = removed;
      }
      const std::span<const float> queries(query);
      const auto found = view->Search({&queries, 1}, {.k = 10});
      for (const IndexMatch& match : found->front()) wrong += before[match.template_id];
      wrong += found->front().size() == 10 ? 0 : 1;
    }
  };
  std::thread first(search, 1);
  std::thread second(search, 2);
  for (int round = 0; round < Rounds(1500, 50'000); ++round) {
    const WriterLock lock(mutex);
    if (round % 3 != 2) {
      Fill(1);
    } else {
      const size_t place = random_() % size();
      removed[oracle_.rows()[place].template_id] = 1;
      oracle_.RemoveAt(place);
    }
    if (round % 300 == 299) oracle_.Move(0.0);
  }
  ends = true;
  first.join();
  second.join();
  EXPECT_EQ(wrong, 0);
  thread_->AwaitIdle();
  EXPECT_GE(Recall(30), 0.95);
}

// What happens between two steps of a build, of lists or of a graph.
TEST_P(ApproximateFinderTest, FollowsWhatMovesWhileItTakesIn) {
  Fill(2000);
  thread_.reset();
  finder_ = MakeFinder();
  ASSERT_THAT(index().SetFinder(finder_), IsOk());
  int asked = 0;
  std::dynamic_pointer_cast<Follower>(finder_)->FollowNow([&]() -> Status {
    if (++asked % 6 != 0 || asked > 60) return OkStatus();
    for (int i = 0; i < 10; ++i) oracle_.RemoveAt(random_() % size());
    EXPECT_GT(oracle_.Move(0.0), 0u);
    return index().SetFinder(finder_);
  });
  EXPECT_GE(asked, 12);
  EXPECT_GT(finder_->state().rows, 1000u);
  EXPECT_GE(Recall(30), 0.95);
}

}  // namespace
}  // namespace facegate
