#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "index/rows/approximate/node_search.h"
#include "index/rows/row_finder.h"
#include "index/rows/row_table.h"

namespace facegate {

// Nodes by the ids of their templates. Immutable.
class NodeIds {
 public:
  using Entry = std::pair<uint64_t, uint32_t>;  // template id, node

  explicit NodeIds(std::vector<Entry> entries);
  std::optional<uint32_t> Find(uint64_t template_id) const;
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;  // in ascending order
};

using Serials = std::vector<uint64_t>;  // of segments, in ascending order

Serials SerialsOf(const RowSnapshot& snapshot);

// Rows that were taken in together.
struct TakenPart {
  std::shared_ptr<const NodeIds> ids;
  std::shared_ptr<const RowNodes> nodes;
  std::shared_ptr<const NodeSearch> search;
  size_t gone = 0;  // nodes without a row

  size_t left() const { return nodes->size() - gone; }
};

// Rows that are about to be.
struct NewPart {
  std::shared_ptr<const NodeIds> ids;
  RowNodes nodes;
  size_t gone = 0;
};

// What an approximate finder looks through, and how. Searches share it, so it does not change.
struct TakenRows {
  RowSnapshot snapshot;  // holds the segments of all nodes
  std::vector<TakenPart> parts;
  std::shared_ptr<const Coverage> coverage;
  Serials unfit;        // segments of which no more rows can be taken in
  size_t left_out = 0;  // rows of these that are not covered
  size_t effort = kEfforts - 1;
  std::optional<double> recall;
  size_t gone_when_measured = 0;

  // Nodes with a row, and nodes without.
  size_t left() const;
  size_t gone() const;
  // Rows of a snapshot that could be taken in, or were removed meanwhile.
  size_t Uncovered(const RowSnapshot& of) const;
};

std::shared_ptr<const Coverage> NothingCovered();

// Nothing of a snapshot.
TakenRows NothingTaken(const RowSnapshot& snapshot);

// The same at a later snapshot: nodes whose rows have moved are where these are now, and those
// whose rows are no more have none. Those of `made` change as well, if it is not null. The vectors
// of the earlier snapshot are read. Throws std::bad_alloc; `made` is not to be used then.
TakenRows TakenLater(const TakenRows& taken, const RowSnapshot& snapshot, NewPart* made);

// Rows of the snapshot that are in no part, together with those of the parts that `merged` names,
// but for what was removed. Puts segments with a row that is no unit vector among those that are
// unfit. What `stop` says when it says so.
StatusOr<NewPart> RowsToTake(TakenRows& taken, const std::vector<bool>& merged,
                             const StopCheck& stop);

// Finds out what is covered beyond what is: of each segment the rows up to the first one that is
// there and in no part. What `stop` says when it says so.
Status Cover(TakenRows& taken, const StopCheck& stop);

struct PlacedScore {
  size_t part = 0;
  uint32_t node = 0;
  float score = 0.0f;
};

// The best of all parts, in no order. What `stop` says when it says so.
StatusOr<std::vector<PlacedScore>> SearchTaken(const TakenRows& taken, std::span<const float> query,
                                               size_t wanted, size_t effort, const StopCheck& stop);

// FloatDotErrorBound() holds for it: its norm is not above kLargestNorm.
bool IsBounded(std::span<const float> vector);

}  // namespace facegate
