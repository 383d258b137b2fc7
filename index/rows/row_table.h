#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/rows/vector_index.h"

namespace facegate {

struct RowLabel {
  uint64_t group = 0;
  uint64_t template_id = 0;  // 0 for a row that was removed
};

// The rows of an index: float32 vectors with their labels, in segments that never move, and what is
// set aside of them. Rows that were removed are used again. Calls and threads as in VectorIndex.
//
// Segments grow fourfold from the first to the last size, so that a gallery of many small
// collections stays small.
class RowTable {
 public:
  using Slot = VectorIndex::Slot;

  explicit RowTable(size_t dimension);
  // Leaves no vector behind in memory that others get.
  ~RowTable();
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;

  bool TryReserve(size_t rows);
  void Release(size_t rows) { reserved_.fetch_sub(rows); }
  Slot Add(uint64_t group, uint64_t template_id, std::span<const float> vector);
  void SetGroup(Slot slot, uint64_t group);
  void Remove(Slot slot);

  // How many rows the next segment has; a multiple of 64.
  size_t NextSegmentRows() const;
  // Throws std::bad_alloc, and has changed nothing then.
  void AddSegment();

  std::span<const float> Vector(Slot slot) const {
    return {ValuesOf(slot.segment) + slot.row * dimension_, dimension_};
  }
  const RowLabel& LabelOf(Slot slot) const { return segments_[slot.segment]->labels[slot.row]; }
  size_t segments() const { return segments_.size(); }
  // The rows of a segment that have been used so far: the first ones.
  size_t RowsOf(size_t segment) const { return segments_[segment]->used; }
  const float* ValuesOf(size_t segment) const { return segments_[segment]->values.get(); }

  size_t size() const { return capacity_ - vacant_; }
  size_t dimension() const { return dimension_; }

 private:
  struct Segment {
    std::unique_ptr<float[]> values;
    std::vector<RowLabel> labels;  // as many as there is room for
    size_t used = 0;
  };

  float* RowOf(Slot slot) { return segments_[slot.segment]->values.get() + slot.row * dimension_; }

  const size_t dimension_;
  std::vector<std::unique_ptr<Segment>> segments_;
  size_t filling_ = 0;       // the first segment that may have rows never used
  std::vector<Slot> freed_;  // rows that were removed
  size_t capacity_ = 0;      // rows of all segments
  size_t vacant_ = 0;        // of which this many hold nothing
  // Counts the vacant rows that are promised. At most vacant_, which only grows while it changes
  // beside const calls.
  std::atomic<size_t> reserved_{0};
};

}  // namespace facegate
