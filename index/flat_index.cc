#include "index/flat_index.h"

#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>

#include <algorithm>
#include <atomic>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "index/candidate_selection.h"

namespace facegate {
namespace {

// Segments grow fourfold from the first to the last size, so that a gallery of many small
// collections stays small. Their storage is reserved once: growing a FAISS index would copy it.
constexpr size_t kFirstSegmentRows = 64;
constexpr size_t kLastSegmentRows = 16384;

// So much is scanned between two questions whether the result is still wanted: about half a
// millisecond.
constexpr size_t kScannedAtOnce = size_t{1} << 19;  // values
constexpr size_t kRescoredAtOnce = 512;             // rows

struct RowLabel {
  uint64_t group = 0;
  uint64_t template_id = 0;  // 0 for a row that was removed
};

struct Segment {
  Segment(size_t dimension, size_t rows)
      : capacity(rows), vectors(static_cast<faiss::Index::idx_t>(dimension)) {
    vectors.codes.reserve(rows * vectors.code_size);
    labels.reserve(rows);
  }

  const size_t capacity;
  faiss::IndexFlatIP vectors;
  std::vector<RowLabel> labels;  // one for each row of `vectors`
};

class FlatIndex final : public VectorIndex {
 public:
  explicit FlatIndex(size_t dimension) : dimension_(dimension) { FACEGATE_CHECK(dimension > 0); }

  // Leaves no vector behind in memory that others get.
  ~FlatIndex() override {
    for (const auto& segment : segments_) {
      std::fill_n(segment->vectors.get_xb(), segment->labels.size() * dimension_, 0.0f);
    }
  }

  bool TryReserve(size_t rows) override {
    size_t reserved = reserved_.load();
    do {
      if (vacant_ - reserved < rows) return false;
    } while (!reserved_.compare_exchange_weak(reserved, reserved + rows));
    return true;
  }

  Status Reserve(size_t rows) override {
    return CatchToStatus("enlarging the index", [&]() -> Status {
      while (!TryReserve(rows)) AddSegment();
      return OkStatus();
    });
  }

  void Release(size_t rows) override { reserved_.fetch_sub(rows); }

  Slot Add(uint64_t group, uint64_t template_id, std::span<const float> vector) override {
    FACEGATE_CHECK(vector.size() == dimension_ && template_id != 0);
    FACEGATE_CHECK(reserved_.load() > 0);
    reserved_.fetch_sub(1);
    vacant_ -= 1;
    const RowLabel label{.group = group, .template_id = template_id};
    if (!freed_.empty()) {
      const Slot slot = freed_.back();
      freed_.pop_back();
      std::copy(vector.begin(), vector.end(), RowOf(slot));
      segments_[slot.segment]->labels[slot.row] = label;
      return slot;
    }
    while (segments_[filling_]->labels.size() == segments_[filling_]->capacity) ++filling_;
    Segment& segment = *segments_[filling_];
    // Within the reserved storage: this moves nothing and takes no memory.
    segment.vectors.add(1, vector.data());
    segment.labels.push_back(label);
    return {.segment = static_cast<uint32_t>(filling_),
            .row = static_cast<uint32_t>(segment.labels.size() - 1)};
  }

  void SetGroup(Slot slot, uint64_t group) override {
    RowLabel& label = segments_[slot.segment]->labels[slot.row];
    FACEGATE_CHECK(label.template_id != 0);
    label.group = group;
  }

  void Remove(Slot slot) override {
    RowLabel& label = segments_[slot.segment]->labels[slot.row];
    FACEGATE_CHECK(label.template_id != 0);
    label = RowLabel{};
    std::fill_n(RowOf(slot), dimension_, 0.0f);
    freed_.push_back(slot);  // has room for all rows there are
    vacant_ += 1;
  }

  std::span<const float> Vector(Slot slot) const override {
    const Segment& segment = *segments_[slot.segment];
    return {segment.vectors.get_xb() + slot.row * dimension_, dimension_};
  }

  size_t size() const override { return capacity_ - vacant_; }
  size_t dimension() const override { return dimension_; }

  StatusOr<std::vector<IndexMatch>> Search(std::span<const float> query, size_t k,
                                           const StopCheck& stop) const override {
    FACEGATE_CHECK(query.size() == dimension_);
    if (k == 0) return std::vector<IndexMatch>();
    return CatchToStatus("searching", [&]() -> StatusOr<std::vector<IndexMatch>> {
      CandidateSelection selection(k, FloatDotErrorBound(dimension_));
      FACEGATE_RETURN_IF_ERROR(ScanAll(query, stop, selection));
      std::vector<IndexMatch> matches;
      for (const CandidateSelection::Candidate& candidate : selection.Take()) {
        if (matches.size() % kRescoredAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
        matches.push_back({.group = candidate.group,
                           .template_id = candidate.template_id,
                           .cosine = CosineScore(query, Vector(candidate.slot))});
      }
      return BestOfEachGroup(std::move(matches), k);
    });
  }

 private:
  Status ScanAll(std::span<const float> query, const StopCheck& stop,
                 CandidateSelection& selection) const {
    const size_t block = std::max<size_t>(1, kScannedAtOnce / dimension_);
    std::vector<float> scores(std::min(block, kLastSegmentRows));
    for (size_t i = 0; i < segments_.size(); ++i) {
      const size_t rows = segments_[i]->labels.size();
      for (size_t begin = 0; begin < rows; begin += block) {
        FACEGATE_RETURN_IF_ERROR(Ask(stop));
        Scan(i, begin, std::min(rows, begin + block), query, scores, selection);
      }
    }
    return OkStatus();
  }

  // FAISS's kernel for one query, which starts no threads, rather than IndexFlatIP::search(): the
  // scores of all rows let removed ones be skipped, and rows be grouped, in one pass for any k.
  void Scan(size_t index, size_t begin, size_t end, std::span<const float> query,
            std::vector<float>& scores, CandidateSelection& selection) const {
    const Segment& segment = *segments_[index];
    faiss::fvec_inner_products_ny(scores.data(), query.data(),
                                  segment.vectors.get_xb() + begin * dimension_, dimension_,
                                  end - begin);
    for (size_t row = begin; row < end; ++row) {
      const auto score = static_cast<double>(scores[row - begin]);
      if (score < selection.floor()) continue;
      const RowLabel& label = segment.labels[row];
      if (label.template_id == 0) continue;
      selection.Offer(
          {.approximate = score,
           .group = label.group,
           .template_id = label.template_id,
           .slot = {.segment = static_cast<uint32_t>(index), .row = static_cast<uint32_t>(row)}});
    }
  }

  void AddSegment() {
    const size_t rows = segments_.empty()
                            ? kFirstSegmentRows
                            : std::min(4 * segments_.back()->capacity, kLastSegmentRows);
    freed_.reserve(capacity_ + rows);
    segments_.push_back(std::make_unique<Segment>(dimension_, rows));
    capacity_ += rows;
    vacant_ += rows;
  }

  float* RowOf(Slot slot) {
    return segments_[slot.segment]->vectors.get_xb() + slot.row * dimension_;
  }

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

}  // namespace

std::unique_ptr<VectorIndex> MakeFlatIndex(size_t dimension) {
  return std::make_unique<FlatIndex>(dimension);
}

}  // namespace facegate
