#include "index/rows/row_table.h"

#include <algorithm>
#include <utility>

#include "face/base/check.h"

namespace facegate {
namespace {

constexpr size_t kFirstSegmentRows = 64;
constexpr size_t kLastSegmentRows = 16384;

}  // namespace

RowTable::RowTable(size_t dimension) : dimension_(dimension) { FACEGATE_CHECK(dimension > 0); }

RowTable::~RowTable() {
  for (const auto& segment : segments_) {
    std::fill_n(segment->values.get(), segment->used * dimension_, 0.0f);
  }
}

bool RowTable::TryReserve(size_t rows) {
  size_t reserved = reserved_.load();
  do {
    if (vacant_ - reserved < rows) return false;
  } while (!reserved_.compare_exchange_weak(reserved, reserved + rows));
  return true;
}

RowTable::Slot RowTable::Add(uint64_t group, uint64_t template_id, std::span<const float> vector) {
  FACEGATE_CHECK(vector.size() == dimension_ && template_id != 0);
  FACEGATE_CHECK(reserved_.load() > 0);
  reserved_.fetch_sub(1);
  vacant_ -= 1;
  Slot slot;
  if (!freed_.empty()) {
    slot = freed_.back();
    freed_.pop_back();
  } else {
    while (segments_[filling_]->used == segments_[filling_]->labels.size()) ++filling_;
    slot = {.segment = static_cast<uint32_t>(filling_),
            .row = static_cast<uint32_t>(segments_[filling_]->used++)};
  }
  std::copy(vector.begin(), vector.end(), RowOf(slot));
  segments_[slot.segment]->labels[slot.row] = {.group = group, .template_id = template_id};
  return slot;
}

void RowTable::SetGroup(Slot slot, uint64_t group) {
  RowLabel& label = segments_[slot.segment]->labels[slot.row];
  FACEGATE_CHECK(label.template_id != 0);
  label.group = group;
}

void RowTable::Remove(Slot slot) {
  RowLabel& label = segments_[slot.segment]->labels[slot.row];
  FACEGATE_CHECK(label.template_id != 0);
  label = RowLabel{};
  std::fill_n(RowOf(slot), dimension_, 0.0f);
  freed_.push_back(slot);  // has room for all rows there are
  vacant_ += 1;
}

size_t RowTable::NextSegmentRows() const {
  if (segments_.empty()) return kFirstSegmentRows;
  return std::min(4 * segments_.back()->labels.size(), kLastSegmentRows);
}

void RowTable::AddSegment() {
  const size_t rows = NextSegmentRows();
  auto segment = std::make_unique<Segment>();
  segment->values = std::make_unique_for_overwrite<float[]>(rows * dimension_);
  segment->labels.resize(rows);
  freed_.reserve(capacity_ + rows);
  segments_.push_back(std::move(segment));
  capacity_ += rows;
  vacant_ += rows;
}

}  // namespace facegate
