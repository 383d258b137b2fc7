#include "index/rows/flat_scan.h"

#include <faiss/utils/distances.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "index/rows/score_bounds.h"

namespace facegate {
namespace {

constexpr size_t kScoresAtOnce = 1024;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class FlatQueries final : public ScanQueries {
 public:
  FlatQueries(const RowTable& rows, std::span<const std::span<const float>> queries)
      : rows_(rows), queries_(queries), error_(FloatDotErrorBound(rows.dimension())) {}

  void Scan(const RowPiece& piece, std::span<CandidateSelection> selections) const override {
    for (size_t i = 0; i < queries_.size(); ++i) {
      for (size_t begin = piece.begin; begin < piece.end; begin += kScoresAtOnce) {
        const size_t end = std::min(piece.end, begin + kScoresAtOnce);
        ScanFor(queries_[i], {.segment = piece.segment, .begin = begin, .end = end}, selections[i]);
      }
    }
  }

 private:
  // FAISS's kernel for one query, which starts no threads, rather than IndexFlatIP::search(): the
  // scores of all rows let removed ones be skipped, and rows be grouped, in one pass for any k.
  void ScanFor(std::span<const float> query, const RowPiece& piece,
               CandidateSelection& selection) const {
    std::array<float, kScoresAtOnce> scores;
    const size_t dimension = rows_.dimension();
    faiss::fvec_inner_products_ny(scores.data(), query.data(),
                                  rows_.ValuesOf(piece.segment) + piece.begin * dimension,
                                  dimension, piece.end - piece.begin);
    for (size_t row = piece.begin; row < piece.end; ++row) {
      const auto score = static_cast<double>(scores[row - piece.begin]);
      if (score + error_ < selection.floor()) continue;
      const VectorIndex::Slot slot{.segment = static_cast<uint32_t>(piece.segment),
                                   .row = static_cast<uint32_t>(row)};
      const RowLabel& label = rows_.LabelOf(slot);
      if (label.template_id == 0) continue;
      selection.Offer({.lower = std::isfinite(score) ? score - error_ : -kInfinity,
                       .upper = std::isfinite(score) ? score + error_ : kInfinity,
                       .group = label.group,
                       .template_id = label.template_id,
                       .slot = slot});
    }
  }

  const RowTable& rows_;
  const std::span<const std::span<const float>> queries_;
  const double error_;
};

class FlatScan final : public RowScan {
 public:
  explicit FlatScan(const RowTable& rows) : rows_(rows) {}

  void AddSegment(size_t /*rows*/) override {}
  void DropSegment() override {}
  void Added(VectorIndex::Slot /*slot*/, std::span<const float> /*vector*/) override {}
  void Removed(VectorIndex::Slot /*slot*/) override {}
  std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> queries) const override {
    return std::make_unique<FlatQueries>(rows_, queries);
  }
  size_t scanned_at_once() const override { return size_t{1} << 19; }

 private:
  const RowTable& rows_;
};

}  // namespace

std::unique_ptr<RowScan> MakeFlatScan(const RowTable& rows) {
  return std::make_unique<FlatScan>(rows);
}

}  // namespace facegate
