#include "index/local/row_mover.h"

#include <malloc.h>

#include <chrono>

#include "face/base/log.h"
#include "index/rows/row_table.h"

namespace facegate {
namespace {

constexpr double kWorthMoving = 1.0 / 8;  // the share of rows that were removed
constexpr std::chrono::minutes kMarkEvery{10};
constexpr int kMovesAtOnce = 10;  // about a second

// Tells whether there was anything to move.
StatusOr<bool> MoveSome(Collection& collection, uint64_t removed_until) {
  for (int move = 0; move < kMovesAtOnce; ++move) {
    FACEGATE_ASSIGN_OR_RETURN(const bool moved, collection.MoveRows(kWorthMoving, removed_until));
    if (!moved) return move > 0;
  }
  return true;
}

}  // namespace

void RowMover::Move(std::span<const std::shared_ptr<Collection>> collections) {
  if (clock_.Now() >= marked_ + kMarkEvery) {
    marked_ = clock_.Now();
    removed_until_ = MarkSnapshots();
  }
  bool any = false;
  for (const auto& collection : collections) {
    const StatusOr<bool> moved = MoveSome(*collection, removed_until_);
    if (!moved.ok()) LogWarning("rows could not be moved yet: {}", MessageOf(moved.status()));
    any = any || moved.value_or(false);
  }
  // What goes with the rows is many small pieces, which glibc keeps until it is told.
  if (any) ::malloc_trim(0);
}

}  // namespace facegate
