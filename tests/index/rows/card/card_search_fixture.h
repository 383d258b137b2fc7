#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "index/rows/card/card_search.h"
#include "index/rows/exact_index.h"
#include "tests/index/rows/card/fake_card.h"
#include "tests/index/rows/row_oracle.h"
#include "tests/support/random_embedding.h"
#include "tests/support/status_matchers.h"

namespace facegate {

// An index, the same rows beside it, and a card that stands in for a real one.
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

}  // namespace facegate
