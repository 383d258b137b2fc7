#include "index/rows/approximate/approximate_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "face/base/mutex.h"
#include "tests/index/rows/approximate/approximate_finder_fixture.h"
#include "tests/support/rounds.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

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

// Searches for other photos tell what recall there is: rows themselves are found more often.
TEST_P(ApproximateFinderTest, MeasuresTheRecallOfOtherPhotos) {
  FillWithStrangers(3000);
  EXPECT_FALSE(MakeFinder()->state().recall.has_value());
  SetFinder(0.0);
  size_t found = 0;
  for (int i = 0; i < 200; ++i) {
    const std::vector<float> query = Near(oracle_.rows()[random_() % size()].vector, 1.0f);
    const auto expected = FullScan(oracle_.rows(), query, 10);
    const float least = expected.back().cosine - 1e-6f;
    const std::span<const float> queries(query);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Finding finding, finder_->Find({&queries, 1}, 64, {}));
    found += static_cast<size_t>(
        std::count_if(finding.queries.front().rows.begin(), finding.queries.front().rows.end(),
                      [&](const FoundRows::Row& row) { return row.score > least; }));
  }
  ASSERT_TRUE(finder_->state().recall.has_value());
  EXPECT_NEAR(*finder_->state().recall, static_cast<double>(found) / 2000.0, 0.04);
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

TEST_P(ApproximateFinderTest, LogsWhatItDoesInTheBackground) {
  Fill(1000);
  ::testing::internal::CaptureStderr();
  SetFinder();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("an approximate search of 1000 templates is being built"));
  EXPECT_THAT(log, HasSubstr("an approximate search of 1000 templates was built in "));
  EXPECT_THAT(log, HasSubstr(" % of the ten nearest"));
}

}  // namespace
}  // namespace facegate
