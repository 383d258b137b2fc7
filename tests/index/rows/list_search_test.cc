#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

#include "index/rows/node_search.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

// A centre is the mean of rows that are there.
TEST(ListSearchTest, IsMadeAnewWhereARowHasGone) {
  constexpr size_t kSize = 16;
  std::mt19937_64 random(1);
  std::vector<std::vector<float>> vectors;
  RowNodes nodes;
  for (uint32_t i = 0; i < 200; ++i) vectors.push_back(ValuesOf(RandomEmbedding(random, kSize)));
  for (uint32_t i = 0; i < 200; ++i) {
    nodes.push_back({.vector = vectors[i].data(), .segment = 1, .row = i});
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto lists, BuildLists(nodes, kSize, {}));
  nodes[7].vector = nullptr;
  const uint32_t gone = 7;
  const auto later = lists->Without(nodes, {&gone, 1});
  ASSERT_NE(later, nullptr);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, later->Search(nodes, vectors[7], 200, 0, {}));
  EXPECT_EQ(found.size(), 199u);
}

}  // namespace
}  // namespace facegate
