#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "index/rows/approximate/approximate_finder.h"
#include "index/rows/exact_index.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {

inline std::string KindName(const ::testing::TestParamInfo<ApproximateKind>& param) {
  return param.param == ApproximateKind::kHnsw ? "hnsw" : "ivf";
}

// An index with a finder of each kind, and its rows beside it.
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
  // Nobody looks like another.
  void FillWithStrangers(size_t rows) {
    for (size_t i = 0; i < rows; ++i) oracle_.Add(++next_group_, Random());
  }
  std::shared_ptr<RowFinder> MakeFinder(double wanted_recall = 0.99) {
    return MakeApproximateFinder(GetParam(), kSize, thread_,
                                 {.least_rows = kLeastRows,
                                  .wanted_recall = wanted_recall,
                                  .wait_after_failure = wait_after_failure_});
  }
  void SetFinder(double wanted_recall = 0.99) {
    finder_ = MakeFinder(wanted_recall);
    ASSERT_THAT(index().SetFinder(finder_), IsOk());
    thread_->AwaitIdle();
  }
  // A finder that follows when it is called, for it has no thread.
  std::shared_ptr<Follower> SetFinderToFollowByHand() {
    thread_.reset();
    finder_ = MakeFinder();
    EXPECT_THAT(index().SetFinder(finder_), IsOk());
    return std::dynamic_pointer_cast<Follower>(finder_);
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
  std::chrono::hours wait_after_failure_{1};
  std::shared_ptr<FollowThread> thread_ = std::make_shared<FollowThread>();
  OracleIndex oracle_{MakeExactIndex(kSize)};
  std::shared_ptr<RowFinder> finder_;
};

}  // namespace facegate
