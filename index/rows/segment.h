#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

namespace facegate {

class Segment;

struct RowLabel {
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  uint64_t group = 0;
  uint64_t template_id = 0;
  uint64_t last_seen = kNever;  // the number of the last snapshot that has the row

  bool IsThere() const { return last_seen == kNever; }
  bool IsIn(uint64_t snapshot) const { return snapshot <= last_seen; }
};

// What a scan keeps of the rows of one segment, beside them. Threads as in Segment.
class SegmentScan {
 public:
  virtual ~SegmentScan() = default;
  // The segment has another row, its last one, which no reader knows of yet. Takes no memory.
  virtual void Added(const Segment& segment, size_t row) = 0;
};

// Rows of an index that lie together: float32 vectors with their labels. A row is added at the end
// and never changes; one that was removed keeps its place, and its vector, until the segment is
// gone. So readers need no lock, and those with an older snapshot still read it.
//
// Threads: one at a time may change it. Beside that any number may read the rows below size() (and
// below what size() was when they began), and their labels, each of which is what it was at some
// time meanwhile.
class Segment {
 public:
  // `scan` may be null. Throws std::bad_alloc.
  Segment(size_t dimension, size_t capacity, std::unique_ptr<SegmentScan> scan);
  // Leaves no vector behind in memory that others get.
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  // There is room for one; takes no memory.
  size_t Add(const RowLabel& label, std::span<const float> vector);
  void SetGroup(size_t row, uint64_t group);
  // Snapshots up to the number `last_seen` have it still.
  void Remove(size_t row, uint64_t last_seen);

  // No other segment has it, as long as the process lives.
  uint64_t serial() const { return serial_; }
  size_t dimension() const { return dimension_; }
  size_t capacity() const { return capacity_; }
  // How many rows were added.
  size_t size() const { return size_.load(std::memory_order_acquire); }
  // For the thread that changes it: how many were removed, and the least `last_seen` of those.
  size_t removed() const { return removed_; }
  uint64_t first_removed() const { return first_removed_; }
  RowLabel LabelOf(size_t row) const;
  const float* values() const { return values_.get(); }
  std::span<const float> Vector(size_t row) const {
    return {values_.get() + row * dimension_, dimension_};
  }
  const SegmentScan* scan() const { return scan_.get(); }

 private:
  struct AtomicLabel {
    std::atomic<uint64_t> group{0};
    std::atomic<uint64_t> template_id{0};
    std::atomic<uint64_t> last_seen{RowLabel::kNever};
  };

  const uint64_t serial_;
  const size_t dimension_;
  const size_t capacity_;
  const std::unique_ptr<float[]> values_;
  const std::unique_ptr<AtomicLabel[]> labels_;
  const std::unique_ptr<SegmentScan> scan_;
  std::atomic<size_t> size_{0};
  size_t removed_ = 0;
  uint64_t first_removed_ = RowLabel::kNever;
};

}  // namespace facegate
