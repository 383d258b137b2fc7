#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "index/rows/candidate_selection.h"
#include "index/rows/segment.h"

namespace facegate {

// Rows of a segment, as a snapshot has them.
struct RowPiece {
  const Segment* segment = nullptr;
  size_t begin = 0;  // a multiple of kPieceRows
  size_t end = 0;
  uint64_t snapshot = 0;  // its number
};
inline constexpr size_t kPieceRows = 16;

// Queries as a scan takes them; any number of threads may scan pieces at once.
class ScanQueries {
 public:
  virtual ~ScanQueries() = default;
  // Offers to the selection of each query every row of the piece that the snapshot has and that may
  // be in the answer, with bounds of its score.
  virtual void Scan(const RowPiece& piece, std::span<CandidateSelection> selections) const = 0;
};

// A way to bound the scores of rows, by what it keeps of each segment (SegmentScan). Thread-safe.
class RowScan {
 public:
  virtual ~RowScan() = default;

  // For a new segment; null where rows are all that is needed. Throws std::bad_alloc.
  virtual std::unique_ptr<SegmentScan> Follow(size_t capacity) const = 0;
  // The queries must outlive what is returned.
  virtual std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> queries) const = 0;
  // Products of values that take half a millisecond or less.
  virtual size_t scanned_at_once() const = 0;
};

}  // namespace facegate
