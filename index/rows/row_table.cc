#include "index/rows/row_table.h"

#include <algorithm>
#include <utility>

#include "face/base/check.h"

namespace facegate {
namespace {

constexpr size_t kFirstSegmentRows = 64;
constexpr size_t kLastSegmentRows = 16384;
constexpr size_t kMovedAtOnce = 2 * kLastSegmentRows;

std::atomic<uint64_t> last_snapshot{1};

size_t RoundedUp(size_t rows) {
  return (rows + kFirstSegmentRows - 1) / kFirstSegmentRows * kFirstSegmentRows;
}

}  // namespace

uint64_t MarkSnapshots() { return last_snapshot.fetch_add(1); }

RowTable::RowTable(size_t dimension, const RowScan& scan)
    : dimension_(dimension), scan_(scan), list_(std::make_shared<RowSnapshot::Segments>()) {
  FACEGATE_CHECK(dimension > 0);
}

bool RowTable::TryReserve(size_t rows) {
  size_t reserved = reserved_.load();
  do {
    if (vacant_ - reserved < rows) return false;
  } while (!reserved_.compare_exchange_weak(reserved, reserved + rows));
  return true;
}

RowTable::Slot RowTable::Add(uint64_t group, uint64_t template_id, std::span<const float> vector) {
  FACEGATE_CHECK(reserved_.load() > 0);
  reserved_.fetch_sub(1);
  vacant_ -= 1;
  size_ += 1;
  const uint32_t number = open_.front();
  Segment& segment = *places_[number].segment;
  const size_t row = segment.Add({.group = group, .template_id = template_id}, vector);
  if (row + 1 == segment.capacity()) Close(number);
  return {.segment = number, .row = static_cast<uint32_t>(row)};
}

void RowTable::Close(uint32_t number) {
  Place& place = places_[number];
  if (!place.open) return;
  place.open = false;
  vacant_ -= place.segment->capacity() - place.segment->size();
  std::erase(open_, number);
}

RowTable::Slot RowTable::Resolved(Slot slot) const {
  const Place& place = places_[slot.segment];
  return place.moved.empty() ? slot : place.moved[slot.row];
}

void RowTable::SetGroup(Slot slot, uint64_t group) {
  const Slot now = Resolved(slot);
  places_[now.segment].segment->SetGroup(now.row, group);
}

void RowTable::Remove(Slot slot) {
  const Slot now = Resolved(slot);
  places_[now.segment].segment->Remove(now.row, last_snapshot.load());
  size_ -= 1;
  removed_ += 1;
}

std::span<const float> RowTable::Vector(Slot slot) const {
  const Slot now = Resolved(slot);
  return places_[now.segment].segment->Vector(now.row);
}

std::optional<RowLabel> RowTable::LabelOf(Slot slot) const {
  const Slot now = Resolved(slot);
  const RowLabel label = places_[now.segment].segment->LabelOf(now.row);
  return label.IsThere() ? std::optional<RowLabel>(label) : std::nullopt;
}

std::shared_ptr<Segment> RowTable::MakeSegment(size_t rows) const {
  return std::make_shared<Segment>(dimension_, rows, scan_.Follow(rows));
}

std::vector<uint32_t> RowTable::FreeNumbers(size_t count) {
  std::vector<uint32_t> numbers;
  for (size_t number = 0; number < places_.size() && numbers.size() < count; ++number) {
    const Place& place = places_[number];
    if (place.segment == nullptr && place.moved.empty()) {
      numbers.push_back(static_cast<uint32_t>(number));
    }
  }
  for (size_t number = places_.size(); numbers.size() < count; ++number) {
    numbers.push_back(static_cast<uint32_t>(number));
  }
  if (!numbers.empty()) {
    places_.resize(
        std::max<size_t>(places_.size(), *std::max_element(numbers.begin(), numbers.end()) + 1));
  }
  open_.reserve(places_.size());
  return numbers;
}

void RowTable::Open(uint32_t number, std::shared_ptr<Segment> segment) {
  capacity_ += segment->capacity();
  const size_t room = segment->capacity() - segment->size();
  places_[number] = {.segment = std::move(segment), .moved = {}, .open = room > 0};
  if (room == 0) return;
  vacant_ += room;
  open_.push_back(number);
}

void RowTable::AddSegment() {
  auto segment = MakeSegment(std::min(3 * capacity_ + kFirstSegmentRows, kLastSegmentRows));
  auto list = std::make_shared<RowSnapshot::Segments>(*list_);
  list->push_back(segment);
  const uint32_t number = FreeNumbers(1).front();
  Open(number, std::move(segment));
  list_ = std::move(list);
}

RowSnapshot RowTable::Snapshot() const {
  RowSnapshot snapshot;
  snapshot.segments_ = list_;
  snapshot.parts_.reserve(list_->size());
  for (const auto& segment : *list_) {
    const size_t rows = segment->size();
    if (rows == 0) continue;
    snapshot.parts_.push_back({.segment = segment.get(), .end = rows});
    snapshot.rows_ += rows;
  }
  snapshot.number_ = last_snapshot.fetch_add(1) + 1;
  return snapshot;
}

RowSnapshot RowSnapshot::Without(std::shared_ptr<const Coverage> coverage) const {
  RowSnapshot rest;
  rest.segments_ = segments_;
  rest.number_ = number_;
  rest.left_out_ = std::move(coverage);
  rest.whole_ = std::make_shared<const std::vector<Part>>(whole());
  for (Part part : whole()) {
    part.begin = std::max(part.begin, rest.left_out_->RowsOf(part.segment->serial()));
    if (part.begin >= part.end) continue;
    rest.parts_.push_back(part);
    rest.rows_ += part.end - part.begin;
  }
  return rest;
}

std::optional<RowTable::Move> RowTable::BeginMove(double least_removed, uint64_t removed_until) {
  Move move;
  size_t rows = 0;
  size_t lost = 0;  // vacant rows of what is closed
  for (size_t number = 0; number < places_.size() && rows < kMovedAtOnce; ++number) {
    const Place& place = places_[number];
    if (place.segment == nullptr || place.segment->removed() == 0) continue;
    const size_t size = place.segment->size();
    const double share = static_cast<double>(place.segment->removed()) / static_cast<double>(size);
    const bool moves = share >= least_removed || place.segment->first_removed() <= removed_until;
    if (!moves || (rows > 0 && rows + size > kMovedAtOnce)) continue;
    move.sources_.push_back({.id = static_cast<uint32_t>(number),
                             .segment = place.segment,
                             .places = std::vector<Slot>(size)});
    rows += size;
    if (place.open) lost += place.segment->capacity() - size;
  }
  if (move.sources_.empty()) return std::nullopt;
  // What is promised stays promised.
  while (vacant_ - lost < reserved_.load()) AddSegment();
  for (const Move::Source& source : move.sources_) Close(source.id);
  return move;
}

void RowTable::Copy(Move& move) const {
  size_t left = 0;
  for (const Move::Source& source : move.sources_) {
    for (size_t row = 0; row < source.places.size(); ++row) {
      left += source.segment->LabelOf(row).IsThere() ? 1 : 0;
    }
  }
  for (Move::Source& source : move.sources_) {
    for (size_t row = 0; row < source.places.size(); ++row) {
      const RowLabel label = source.segment->LabelOf(row);
      source.places[row] = kNowhere;
      if (!label.IsThere()) continue;
      if (move.copies_.empty() || move.copies_.back()->size() == move.copies_.back()->capacity()) {
        move.copies_.push_back(
            MakeSegment(std::clamp(RoundedUp(left), kFirstSegmentRows, kLastSegmentRows)));
      }
      const size_t place = move.copies_.back()->Add(label, source.segment->Vector(row));
      source.places[row] = {.segment = static_cast<uint32_t>(move.copies_.size() - 1),
                            .row = static_cast<uint32_t>(place)};
      left -= 1;
    }
  }
}

void RowTable::TakeOver(Move& move) {
  auto list = std::make_shared<RowSnapshot::Segments>();
  list->reserve(list_->size() + move.copies_.size());
  for (const auto& segment : *list_) {
    const bool moves = std::any_of(move.sources_.begin(), move.sources_.end(),
                                   [&](const auto& source) { return source.segment == segment; });
    if (!moves) list->push_back(segment);
  }
  list->insert(list->end(), move.copies_.begin(), move.copies_.end());
  size_t rows = 0;
  for (const auto& copy : move.copies_) rows += copy->size();
  move.moved_.reserve(rows);
  move.left_.reserve(move.sources_.size());
  const std::vector<uint32_t> numbers = FreeNumbers(move.copies_.size());

  // Nothing can fail from here on.
  for (Move::Source& source : move.sources_) {
    for (size_t row = 0; row < source.places.size(); ++row) {
      Slot& place = source.places[row];
      if (place == kNowhere) continue;
      Segment& copy = *move.copies_[place.segment];
      // What has happened to the row since it was copied.
      const RowLabel label = source.segment->LabelOf(row);
      if (!label.IsThere()) {
        copy.Remove(place.row, label.last_seen);
      } else {
        copy.SetGroup(place.row, label.group);
      }
      place.segment = numbers[place.segment];
      if (label.IsThere()) move.moved_.push_back(place);
    }
    capacity_ -= source.segment->capacity();
    removed_ -= source.segment->removed();
    places_[source.id].moved = std::move(source.places);
    places_[source.id].segment.reset();
    move.left_.push_back(std::move(source.segment));
  }
  for (size_t i = 0; i < move.copies_.size(); ++i) {
    removed_ += move.copies_[i]->removed();
    Open(numbers[i], std::move(move.copies_[i]));
  }
  list_ = std::move(list);
}

void RowTable::EndMove(const Move& move) {
  for (const Move::Source& source : move.sources_) {
    std::vector<Slot>().swap(places_[source.id].moved);
  }
}

}  // namespace facegate
