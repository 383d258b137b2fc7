#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "index/rows/card/half.h"
#include "index/rows/card/search_card.h"

namespace facegate {

// A card that is none: it keeps rows in memory, and its products are as far off as the contract
// allows. What it is asked is noted; it fails where it is told to.
class FakeCard final : public SearchCard {
 public:
  // What is true of it, for the test, which may outlive it.
  struct State {
    std::mutex mutex;                   // for what is below
    size_t capacity = size_t{1} << 40;  // bytes
    size_t used = 0;
    std::function<Status()> on_search = [] { return OkStatus(); };
    std::function<Status()> on_write = [] { return OkStatus(); };
    std::vector<size_t> passes;  // queries of each
    size_t allocations = 0;      // that were asked for
    std::set<const std::vector<uint16_t>*> memory;

    // Tells whether any row on the card is `halves`.
    bool Has(const std::vector<uint16_t>& halves) {
      const std::lock_guard lock(mutex);
      return std::any_of(memory.begin(), memory.end(), [&](const auto* block) {
        return std::search(block->begin(), block->end(), halves.begin(), halves.end()) !=
               block->end();
      });
    }
  };

  explicit FakeCard(std::shared_ptr<State> state, size_t most_wanted = 2048)
      : state_(std::move(state)), most_wanted_(most_wanted) {}

  std::string name() const override { return "cuda:0 (no card)"; }
  StatusOr<uint64_t> free_bytes() override { return state_->capacity - state_->used; }
  size_t most_wanted() const override { return most_wanted_; }

  StatusOr<std::unique_ptr<Block>> Allocate(size_t rows, size_t dimension) override {
    const std::lock_guard lock(state_->mutex);
    const size_t bytes = rows * dimension * sizeof(uint16_t);
    state_->allocations += 1;
    if (state_->capacity - state_->used < bytes) {
      return Status(StatusCode::kResourceExhausted, "the card has no room");
    }
    return std::make_unique<FakeBlock>(state_, rows, dimension);
  }
  Status Write(Block& block, size_t at, std::span<const uint16_t> rows) override {
    FACEGATE_RETURN_IF_ERROR(state_->on_write());
    const std::lock_guard lock(state_->mutex);
    std::copy(rows.begin(), rows.end(), Place(block, at));
    return OkStatus();
  }
  Status Copy(const Block& from, size_t begin, size_t rows, Block& to, size_t at) override {
    const std::lock_guard lock(state_->mutex);
    const auto& source = static_cast<const FakeBlock&>(from);
    std::copy_n(source.values.begin() + static_cast<std::ptrdiff_t>(begin * source.dimension),
                rows * source.dimension, Place(to, at));
    return OkStatus();
  }
  Status Wipe(Block& block, size_t at, size_t rows) override {
    const std::lock_guard lock(state_->mutex);
    std::fill_n(Place(block, at), rows * static_cast<FakeBlock&>(block).dimension, uint16_t{0});
    return OkStatus();
  }

  StatusOr<std::vector<Best>> Search(std::span<const Part> parts, std::span<const uint16_t> queries,
                                     size_t dimension, size_t wanted) override {
    FACEGATE_RETURN_IF_ERROR(state_->on_search());
    const std::lock_guard lock(state_->mutex);
    state_->passes.push_back(queries.size() / dimension);
    std::vector<Best> all;
    for (const Part& part : parts) {
      FACEGATE_CHECK(part.rows >= 1);
      Best best{.of_query = std::min(wanted, part.rows), .products = {}, .rows = {}};
      for (size_t q = 0; q < queries.size(); q += dimension) {
        AddBest(part, queries.subspan(q, dimension), best);
      }
      all.push_back(std::move(best));
    }
    return all;
  }

 private:
  struct FakeBlock final : public Block {
    FakeBlock(std::shared_ptr<State> owner, size_t rows, size_t length)
        : state(std::move(owner)), dimension(length), values(rows * length) {
      state->used += values.size() * sizeof(uint16_t);
      state->memory.insert(&values);
    }
    ~FakeBlock() override {
      const std::lock_guard lock(state->mutex);
      state->used -= values.size() * sizeof(uint16_t);
      state->memory.erase(&values);
    }
    const std::shared_ptr<State> state;
    const size_t dimension;
    std::vector<uint16_t> values;
  };

  static std::vector<uint16_t>::iterator Place(Block& block, size_t at) {
    auto& there = static_cast<FakeBlock&>(block);
    return there.values.begin() + static_cast<std::ptrdiff_t>(at * there.dimension);
  }

  void AddBest(const Part& part, std::span<const uint16_t> query, Best& best) {
    const auto& values = static_cast<const FakeBlock*>(part.block)->values;
    std::vector<float> products(part.rows);
    for (size_t row = 0; row < part.rows; ++row) {
      double sum = 0.0;
      for (size_t i = 0; i < query.size(); ++i) {
        sum += static_cast<double>(FromHalf(query[i])) *
               static_cast<double>(FromHalf(values[row * query.size() + i]));
      }
      // Rounding to float32 takes the rest of the bound.
      const double error = 0.9 * HalfDotErrorBound(query.size());
      products[row] = static_cast<float>(sum + (row % 2 == 0 ? error : -error));
    }
    std::vector<uint32_t> rows(part.rows);
    std::iota(rows.begin(), rows.end(), 0u);
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(best.of_query),
                      rows.end(),
                      [&](uint32_t a, uint32_t b) { return products[a] > products[b]; });
    for (size_t i = 0; i < best.of_query; ++i) {
      best.rows.push_back(rows[i]);
      best.products.push_back(products[rows[i]]);
    }
  }

  const std::shared_ptr<State> state_;
  const size_t most_wanted_;
};

}  // namespace facegate
