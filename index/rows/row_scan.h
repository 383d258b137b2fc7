#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "index/rows/candidate_selection.h"
#include "index/rows/vector_index.h"

namespace facegate {

// Rows of one segment of a RowTable.
struct RowPiece {
  size_t segment = 0;
  size_t begin = 0;  // a multiple of kPieceRows
  size_t end = 0;
};
inline constexpr size_t kPieceRows = 16;

// Queries as a scan takes them; any number of threads may scan pieces at once.
class ScanQueries {
 public:
  virtual ~ScanQueries() = default;
  // Offers to the selection of each query every row of the piece that is there and may be in the
  // answer, with bounds of its score.
  virtual void Scan(const RowPiece& piece, std::span<CandidateSelection> selections) const = 0;
};

// A way to bound the scores of all rows of a RowTable, whose changes it follows. Threads as in
// VectorIndex.
class RowScan {
 public:
  virtual ~RowScan() = default;

  // The table is about to have another segment. Throws std::bad_alloc, and has changed nothing
  // then.
  virtual void AddSegment(size_t rows) = 0;
  // The table got no such segment after all.
  virtual void DropSegment() = 0;
  virtual void Added(VectorIndex::Slot slot, std::span<const float> vector) = 0;
  virtual void Removed(VectorIndex::Slot slot) = 0;

  // The queries must outlive what is returned.
  virtual std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> queries) const = 0;
  // Products of values that take half a millisecond or less.
  virtual size_t scanned_at_once() const = 0;
};

}  // namespace facegate
