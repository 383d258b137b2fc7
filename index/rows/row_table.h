#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "index/rows/row_finder.h"
#include "index/rows/row_scan.h"
#include "index/rows/segment.h"
#include "index/rows/vector_index.h"

namespace facegate {

// The rows of a table at a moment. It holds their segments, so that it can be read without a lock
// while the table changes: what comes, goes or moves later makes no difference. Only the group of a
// row may be a later one, until the row moves.
class RowSnapshot {
 public:
  struct Part {
    const Segment* segment = nullptr;
    size_t begin = 0;  // those before are left out; 0 but for Without()
    size_t end = 0;
  };

  // Later snapshots, of whatever table, have larger numbers.
  uint64_t number() const { return number_; }
  size_t rows() const { return rows_; }  // with those that were removed
  const std::vector<Part>& parts() const { return parts_; }
  // No segment came to the table or left it between the two.
  bool HasSegmentsOf(const RowSnapshot& other) const { return segments_ == other.segments_; }

  // The same, but what is to be scanned of it are the rows that `coverage` does not have. Throws
  // std::bad_alloc.
  RowSnapshot Without(std::shared_ptr<const Coverage> coverage) const;
  // What Without() left out; null where there was none.
  const std::shared_ptr<const Coverage>& left_out() const { return left_out_; }
  // The parts with what was left out.
  const std::vector<Part>& whole() const { return whole_ == nullptr ? parts_ : *whole_; }

 private:
  friend class RowTable;
  using Segments = std::vector<std::shared_ptr<Segment>>;
  std::shared_ptr<const Segments> segments_;
  std::shared_ptr<const Coverage> left_out_;
  std::shared_ptr<const std::vector<Part>> whole_;  // null: all are in parts_
  std::vector<Part> parts_;
  uint64_t number_ = 0;
  size_t rows_ = 0;
};

// A number that all snapshots until now are at most, and all later ones are above.
uint64_t MarkSnapshots();

// The rows of an index: segments, and what is set aside in them. Rows are added to the segments
// that are open, and rows that were removed keep their place until their segment is moved: what is
// there of it is copied to new segments, which take its place. Calls and threads as in VectorIndex.
//
// Segments grow fourfold from the first to the last size, so that a gallery of many small
// collections stays small.
class RowTable {
 public:
  using Slot = VectorIndex::Slot;

  // `scan` must outlive it.
  RowTable(size_t dimension, const RowScan& scan);
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;

  bool TryReserve(size_t rows);
  void Release(size_t rows) { reserved_.fetch_sub(rows); }
  Slot Add(uint64_t group, uint64_t template_id, std::span<const float> vector);
  void SetGroup(Slot slot, uint64_t group);
  void Remove(Slot slot);
  std::span<const float> Vector(Slot slot) const;
  // Nothing when the row was removed.
  std::optional<RowLabel> LabelOf(Slot slot) const;

  // Opens another segment. Throws std::bad_alloc, and has changed nothing then.
  void AddSegment();
  RowSnapshot Snapshot() const;

  size_t size() const { return size_; }
  size_t dimension() const { return dimension_; }
  // Rows that were removed and still take room.
  size_t removed() const { return removed_; }

  // Segments that are moved: begun, copied, taken over and ended in this order, one move at a time.
  class Move {
   public:
    // Where the rows are now that were there when it was taken over; some may be removed since.
    const std::vector<Slot>& moved() const { return moved_; }

   private:
    friend class RowTable;
    struct Source {
      uint32_t id = 0;
      std::shared_ptr<Segment> segment;
      std::vector<Slot> places;  // where each row has gone; the segment is a number of copies_
    };
    std::vector<Source> sources_;
    std::vector<std::shared_ptr<Segment>> copies_;
    // After the take-over: what was moved, so that a short search is not the last to let go of it.
    std::vector<std::shared_ptr<Segment>> left_;
    std::vector<Slot> moved_;
  };
  // Picks segments of which a share of `least_removed` or more was removed, or any row before the
  // snapshot `removed_until`, at most two large ones, and closes them. Nothing when there are none.
  // Throws std::bad_alloc, and has at most opened another segment then.
  std::optional<Move> BeginMove(double least_removed, uint64_t removed_until);
  // Copies what is there to segments that nobody else knows. May run beside everything. Throws
  // std::bad_alloc; the move is to be forgotten then, and what it closed stays closed.
  void Copy(Move& move) const;
  // Puts the copies in place. The old slots still mean the same rows until EndMove(). Throws
  // std::bad_alloc, and has changed nothing then.
  void TakeOver(Move& move);
  // Nobody uses the old slots any more.
  void EndMove(const Move& move);

 private:
  // What a slot's segment number stands for.
  struct Place {
    std::shared_ptr<Segment> segment;  // null: the number is free, or its rows have moved
    std::vector<Slot> moved;           // where to, until EndMove(); for each row, or kNowhere
    bool open = false;
  };

  static constexpr Slot kNowhere{.segment = UINT32_MAX, .row = UINT32_MAX};

  Slot Resolved(Slot slot) const;
  std::shared_ptr<Segment> MakeSegment(size_t rows) const;
  // Makes room for segments under the numbers that it returns. Throws std::bad_alloc.
  std::vector<uint32_t> FreeNumbers(size_t count);
  void Open(uint32_t number, std::shared_ptr<Segment> segment);
  void Close(uint32_t number);

  const size_t dimension_;
  const RowScan& scan_;
  std::vector<Place> places_;
  std::vector<uint32_t> open_;  // numbers of segments with room, in the order they are filled
  std::shared_ptr<const RowSnapshot::Segments> list_;  // those that are there
  size_t capacity_ = 0;                                // rows of all of them
  size_t size_ = 0;
  size_t removed_ = 0;
  size_t vacant_ = 0;
  // Counts the vacant rows that are promised. At most vacant_, which only shrinks while it changes
  // beside const calls.
  std::atomic<size_t> reserved_{0};
};

}  // namespace facegate
