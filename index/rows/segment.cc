#include "index/rows/segment.h"

#include <algorithm>
#include <utility>

#include "face/base/check.h"

namespace facegate {
namespace {

std::atomic<uint64_t> last_serial{0};

}  // namespace

Segment::Segment(size_t dimension, size_t capacity, std::unique_ptr<SegmentScan> scan)
    : serial_(last_serial.fetch_add(1) + 1),
      dimension_(dimension),
      capacity_(capacity),
      values_(std::make_unique_for_overwrite<float[]>(capacity * dimension)),
      labels_(std::make_unique<AtomicLabel[]>(capacity)),
      scan_(std::move(scan)) {}

Segment::~Segment() { std::fill_n(values_.get(), size() * dimension_, 0.0f); }

size_t Segment::Add(const RowLabel& label, std::span<const float> vector) {
  const size_t row = size_.load(std::memory_order_relaxed);
  FACEGATE_CHECK(row < capacity_ && vector.size() == dimension_ && label.template_id != 0);
  std::copy(vector.begin(), vector.end(), values_.get() + row * dimension_);
  labels_[row].group.store(label.group, std::memory_order_relaxed);
  labels_[row].template_id.store(label.template_id, std::memory_order_relaxed);
  if (scan_ != nullptr) scan_->Added(*this, row);
  size_.store(row + 1, std::memory_order_release);
  return row;
}

void Segment::SetGroup(size_t row, uint64_t group) {
  FACEGATE_CHECK(LabelOf(row).IsThere());
  labels_[row].group.store(group, std::memory_order_relaxed);
}

void Segment::Remove(size_t row, uint64_t last_seen) {
  FACEGATE_CHECK(LabelOf(row).IsThere());
  labels_[row].last_seen.store(last_seen, std::memory_order_relaxed);
  removed_ += 1;
  first_removed_ = std::min(first_removed_, last_seen);
}

RowLabel Segment::LabelOf(size_t row) const {
  return {.group = labels_[row].group.load(std::memory_order_relaxed),
          .template_id = labels_[row].template_id.load(std::memory_order_relaxed),
          .last_seen = labels_[row].last_seen.load(std::memory_order_relaxed)};
}

}  // namespace facegate
