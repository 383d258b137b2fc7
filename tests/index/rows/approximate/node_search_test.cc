#include "index/rows/approximate/node_search.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "index/rows/approximate/background_threads.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

class NodeSearchTest : public ::testing::Test {
 protected:
  static constexpr size_t kSize = 8;

  void Fill(uint32_t rows) {
    for (uint32_t i = 0; i < rows; ++i) {
      vectors_.push_back(ValuesOf(RandomEmbedding(random_, kSize)));
    }
    for (uint32_t i = 0; i < rows; ++i) {
      nodes_.push_back({.vector = vectors_[i].data(), .segment = 1, .row = i});
    }
  }

  std::mt19937_64 random_{1};
  std::vector<std::vector<float>> vectors_;
  RowNodes nodes_;
};

// A centre is the mean of rows that are there.
TEST_F(NodeSearchTest, MakesListsAnewWhereARowHasGone) {
  Fill(200);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto lists, BuildLists(nodes_, kSize, {}));
  nodes_[7].vector = nullptr;
  const uint32_t gone = 7;
  const auto later = lists->Without(nodes_, {&gone, 1});
  ASSERT_NE(later, nullptr);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, later->Search(nodes_, vectors_[7], 200, 0, {}));
  EXPECT_EQ(found.size(), 199u);
}

TEST_F(NodeSearchTest, EndsASearchAmongManyRows) {
  Fill(6000);
  for (const auto build : {BuildGraph, BuildLists}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto search, build(nodes_, kSize, {}));
    int asked = 0;
    const StopCheck stop = [&] {
      asked += 1;
      return asked == 2 ? Refuse(Reason::kDeadline, "as told") : OkStatus();
    };
    EXPECT_THAT(search->Search(nodes_, vectors_[0], 6000, 0, stop), RefusedWith(Reason::kDeadline));
    EXPECT_EQ(asked, 2);
  }
}

// Searches come before what is built in the background.
TEST(BackgroundThreadsTest, GiveWayToOthers) {
  const int before = getpriority(PRIO_PROCESS, 0);
  int niceness[2] = {};
  ForEachOnThreads(2, 2, [&](size_t /*thread*/, size_t number) {
    niceness[number] = getpriority(PRIO_PROCESS, static_cast<id_t>(gettid()));
  });
  EXPECT_GE(niceness[0], 10);
  EXPECT_GE(niceness[1], 10);
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())), before);
}

// Somebody who is enrolled again and again with the same picture.
TEST_F(NodeSearchTest, FindsOthersBesideManyEqualRows) {
  constexpr uint32_t kOthers = 3000;
  constexpr uint32_t kClumps = 20;
  constexpr uint32_t kEqual = 60;
  Fill(kOthers + kClumps);
  for (uint32_t i = 0; i < kClumps * kEqual; ++i) {
    nodes_.push_back(nodes_[kOthers + i % kClumps]);
  }
  for (const auto build : {BuildGraph, BuildLists}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const auto search, build(nodes_, kSize, {}));
    size_t missed = 0;
    for (uint32_t i = 0; i < kOthers; ++i) {
      FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found,
                                    search->Search(nodes_, vectors_[i], 10, 0, {}));
      missed += std::none_of(found.begin(), found.end(),
                             [&](const NodeScore& node) { return node.node == i; });
    }
    EXPECT_LE(missed, kOthers / 100);
  }
}

}  // namespace
}  // namespace facegate
