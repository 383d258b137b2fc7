#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/rows/group_filter.h"
#include "index/rows/row_finder.h"
#include "index/rows/segment.h"

namespace facegate {

// The best row of one group.
struct IndexMatch {
  uint64_t group = 0;
  uint64_t template_id = 0;
  float cosine = 0.0f;  // CosineScore()
  bool operator==(const IndexMatch&) const = default;
};

// What searches have done so far.
struct SearchCounts {
  uint64_t queries = 0;
  uint64_t scanned = 0;   // rows, summed over the queries
  uint64_t rescored = 0;  // rows that CosineScore() scored
  uint64_t found = 0;     // queries for which a finder looked through most rows
};

// What a search looks for.
struct RowSearch {
  size_t k = 1;  // groups
  // Groups whose best score is below this are not wanted.
  double least = -std::numeric_limits<double>::infinity();
  std::shared_ptr<const GroupFilter> groups = nullptr;  // null: all
  bool exact = false;                                   // no approximate finder is asked
};

// What is in an index at a moment, for searches that hold no lock. Thread-safe.
class IndexView {
 public:
  virtual ~IndexView() = default;

  // For each query the k groups with the highest CosineScore(), best first, each once with its best
  // row; ties (between groups, and between the rows of one) go to the lower template id. Fewer
  // when there are fewer groups. Equal, bit for bit, to a full scan of the rows that were there
  // when the view was taken, or a later one (but for what an approximate finder misses); a row that
  // was given to another group since may count for either. A query has dimension() values. Queries
  // that come together share the reading of the rows. When `stop` is not OK, that is the answer.
  virtual StatusOr<std::vector<std::vector<IndexMatch>>> Search(
      std::span<const std::span<const float>> queries, const RowSearch& search,
      const StopCheck& stop = {}) const = 0;
};

// Unit vectors of one length, each with a template id and the group (identity) that it belongs to,
// and the exact search among them. A cache: what is in it came from the store.
//
// Threads: const calls may run together; any other call must run alone. TryReserve() and Release()
// may run beside const calls. The search of a view, and RowMove::Copy(), run beside everything.
//
// An enrolment must not fail after the store has taken it, so room is set aside before: every Add()
// uses up one row of an earlier TryReserve() or Reserve(), and cannot fail.
//
// A row that was removed is in no view that is taken afterwards. Its memory is given back
// when what is around it moves: BeginMove(), RowMove::Copy(), TakeOver(), then whoever keeps slots
// takes over the new ones, then EndMove(). One move at a time.
class VectorIndex {
 public:
  // The place of a row; stays the same until the row is removed or moves.
  struct Slot {
    uint32_t segment = 0;
    uint32_t row = 0;
    bool operator==(const Slot&) const = default;
  };

  // Rows on their way to another place, closer together. When a call for it fails, it is forgotten.
  class RowMove {
   public:
    virtual ~RowMove() = default;
    // kResourceExhausted when there is no memory.
    virtual Status Copy() = 0;
    // After TakeOver(): where rows are now.
    virtual const std::vector<Slot>& moved() const = 0;
  };

  virtual ~VectorIndex() = default;

  // Sets `rows` aside in the memory that is there; false when that is too little.
  virtual bool TryReserve(size_t rows) = 0;
  // Sets `rows` aside, taking new memory for them. kResourceExhausted when there is none.
  virtual Status Reserve(size_t rows) = 0;
  // Gives back what was set aside and not used.
  virtual void Release(size_t rows) = 0;

  // `template_id` is not 0; `vector` has dimension() values.
  virtual Slot Add(uint64_t group, uint64_t template_id, std::span<const float> vector) = 0;
  // The row belongs to another group from now on.
  virtual void SetGroup(Slot slot, uint64_t group) = 0;
  virtual void Remove(Slot slot) = 0;

  virtual std::span<const float> Vector(Slot slot) const = 0;
  // Nothing when the row was removed.
  virtual std::optional<RowLabel> LabelOf(Slot slot) const = 0;
  virtual size_t size() const = 0;
  virtual size_t dimension() const = 0;
  // Rows that were removed and still take memory.
  virtual size_t removed() const = 0;

  // Moves what is left of places of which a share of `least_removed` or more was removed, or
  // anything before the mark `removed_until` (row_table.h); null when there are none. Then a finder
  // is told what there is, so that it forgets what has moved. kResourceExhausted when there is no
  // memory.
  virtual StatusOr<std::unique_ptr<RowMove>> BeginMove(double least_removed,
                                                       uint64_t removed_until = 0) = 0;
  // From now on views have the copies. The old slots mean the same rows until EndMove().
  // kResourceExhausted when there is no memory, and nothing has changed then.
  virtual Status TakeOver(RowMove& move) = 0;
  // Nobody uses the old slots any more.
  virtual void EndMove(RowMove& move) = 0;

  // Searches ask `finder` first, and scan what it does not look through; null: they scan all.
  // kResourceExhausted when there is no memory, and nothing has changed then.
  virtual Status SetFinder(std::shared_ptr<RowFinder> finder) = 0;
  // Null where there is none.
  virtual std::shared_ptr<RowFinder> finder() const = 0;

  virtual StatusOr<std::unique_ptr<IndexView>> View() const = 0;
  // View() and its search.
  StatusOr<std::vector<std::vector<IndexMatch>>> Search(
      std::span<const std::span<const float>> queries, size_t k, const StopCheck& stop = {}) const {
    auto view = View();
    if (!view.ok()) return view.status();
    return (*view)->Search(queries, {.k = k}, stop);
  }
  StatusOr<std::vector<IndexMatch>> Search(std::span<const float> query, size_t k,
                                           const StopCheck& stop = {}) const {
    auto found = Search(std::span(&query, 1), k, stop);
    if (!found.ok()) return found.status();
    return std::move(found->front());
  }

  virtual SearchCounts counts() const = 0;
};

}  // namespace facegate
