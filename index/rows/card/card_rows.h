#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "index/rows/card/search_card.h"
#include "index/rows/row_finder.h"
#include "index/rows/row_table.h"

namespace facegate {

// What rows of all indexes may take of the card, and take. One thread at a time changes it, any
// number may read it meanwhile.
struct CardBudget {
  explicit CardBudget(uint64_t most) : limit(most) {}

  const uint64_t limit;
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> rows{0};        // that searches look through
  std::atomic<uint64_t> rows_left{0};   // that have no room
  std::atomic<uint64_t> given_back{0};  // counts how often something was
};

// Bytes of a budget, until it goes.
class CardShare {
 public:
  CardShare(CardBudget& budget, uint64_t bytes) : budget_(&budget), bytes_(bytes) {
    budget_->bytes += bytes_;
  }
  ~CardShare() {
    if (budget_ == nullptr) return;
    budget_->bytes -= bytes_;
    budget_->given_back += 1;
  }
  CardShare(CardShare&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
  CardShare& operator=(CardShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

 private:
  CardBudget* budget_;
  uint64_t bytes_;
};

// Where the rows of an index lie on the card. Immutable.
struct CardLayout {
  // Rows of a segment that lie together; what is between runs means nothing.
  struct Run {
    uint64_t segment = 0;
    size_t first = 0;
    size_t rows = 0;
    size_t at = 0;  // in its slab
  };
  using Runs = std::vector<Run>;  // in the order in which they lie

  std::vector<Runs> slabs;
  std::shared_ptr<const Coverage> coverage =
      std::make_shared<const Coverage>(std::vector<Coverage::Part>{});
  double residual = 0.0;  // that no row's is above (half.h)

  // The row at a place, by segment and number; nothing where what lies there has gone.
  std::optional<FoundRows::Row> RowAt(size_t slab, size_t place) const;
};

// The rows of one index on the card, in slabs: a row is added behind the others of a slab, and a
// segment that has left the index is wiped where it lies. Slabs that are small, or hold little that
// is there still, are put together. One thread at a time, and none that searches meanwhile; but
// layout() may be called beside everything.
class CardRows {
 public:
  // `card` and `budget` must outlive it; other indexes have a part in both.
  CardRows(size_t dimension, SearchCard& card, CardBudget& budget);
  ~CardRows();
  CardRows(const CardRows&) = delete;
  CardRows& operator=(const CardRows&) = delete;

  std::shared_ptr<const CardLayout> layout() const;
  // One for each slab of the layout.
  std::vector<SearchCard::Part> parts() const;

  // Forgets and wipes the rows of segments that the snapshot does not have.
  Status Forget(const RowSnapshot& snapshot);
  // How many rows can be added to the last slab.
  size_t room() const;
  // Makes another slab, for `rows` if that is possible; false when there is no room on the card.
  StatusOr<bool> AddSlab(size_t rows);
  // Adds rows of a segment, which follow those that are here of it: at most room().
  Status Add(uint64_t segment, std::span<const uint16_t> halves, double residual);
  // Puts slabs together where that is worth it: some of them in a call; false when there is nothing
  // left to do. Where there is no room for that and much is lost to holes, everything is given
  // back, and is to be added again.
  StatusOr<bool> Pack();
  // Wipes and gives back everything. When another call throws, this must follow.
  void Clear() noexcept;

 private:
  struct Slab {
    Slab(std::unique_ptr<SearchCard::Block> memory, CardShare part, size_t rows)
        : share(std::move(part)), block(std::move(memory)), capacity(rows) {}

    CardShare share;
    std::unique_ptr<SearchCard::Block> block;  // goes first
    size_t capacity = 0;
    size_t used = 0;
    size_t live = 0;
    CardLayout::Runs runs;
  };

  size_t bytes_of_row() const { return dimension_ * sizeof(uint16_t); }
  size_t largest_slab() const;
  // For so many rows the budget has room.
  uint64_t rows_left() const { return (budget_.limit - budget_.bytes.load()) / bytes_of_row(); }
  // Nothing when there is no room.
  StatusOr<std::optional<Slab>> MakeSlab(size_t rows);
  // Numbers of slabs that are to be put together, of which there is more than one or which has
  // holes.
  std::vector<size_t> WorthPacking() const;
  StatusOr<std::optional<Slab>> PackedOf(const std::vector<size_t>& packed);
  void Publish(double residual);

  const size_t dimension_;
  SearchCard& card_;
  CardBudget& budget_;
  const std::shared_ptr<const CardLayout> empty_;
  std::vector<Slab> slabs_;

  mutable Mutex layout_mutex_;
  std::shared_ptr<const CardLayout> layout_ FACEGATE_GUARDED_BY(layout_mutex_);
};

}  // namespace facegate
