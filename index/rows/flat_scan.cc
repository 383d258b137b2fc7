#include "index/rows/flat_scan.h"

#include <faiss/utils/distances.h>

#include <algorithm>
#include <array>

#include "index/rows/row_offer.h"
#include "index/rows/score_bounds.h"

namespace facegate {
namespace {

constexpr size_t kScoresAtOnce = 1024;

class FlatQueries final : public ScanQueries {
 public:
  FlatQueries(size_t dimension, std::span<const std::span<const float>> queries)
      : queries_(queries), error_(FloatDotErrorBound(dimension)) {}

  void Scan(const RowPiece& piece, std::span<CandidateSelection> selections) const override {
    for (size_t i = 0; i < queries_.size(); ++i) {
      for (size_t begin = piece.begin; begin < piece.end; begin += kScoresAtOnce) {
        RowPiece part = piece;
        part.begin = begin;
        part.end = std::min(piece.end, begin + kScoresAtOnce);
        ScanFor(queries_[i], part, selections[i]);
      }
    }
  }

 private:
  // FAISS's kernel for one query, which starts no threads, rather than IndexFlatIP::search(): the
  // scores of all rows let removed ones be skipped, and rows be grouped, in one pass for any k.
  void ScanFor(std::span<const float> query, const RowPiece& piece,
               CandidateSelection& selection) const {
    std::array<float, kScoresAtOnce> scores;
    faiss::fvec_inner_products_ny(scores.data(), query.data(),
                                  piece.segment->Vector(piece.begin).data(),
                                  piece.segment->dimension(), piece.end - piece.begin);
    for (size_t row = piece.begin; row < piece.end; ++row) {
      OfferRow(piece, row, scores[row - piece.begin], error_, selection);
    }
  }

  const std::span<const std::span<const float>> queries_;
  const double error_;
};

class FlatScan final : public RowScan {
 public:
  explicit FlatScan(size_t dimension) : dimension_(dimension) {}

  std::unique_ptr<SegmentScan> Follow(size_t /*capacity*/) const override { return nullptr; }
  std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> queries) const override {
    return std::make_unique<FlatQueries>(dimension_, queries);
  }
  size_t scanned_at_once() const override { return size_t{1} << 19; }

 private:
  const size_t dimension_;
};

}  // namespace

std::unique_ptr<RowScan> MakeFlatScan(size_t dimension) {
  return std::make_unique<FlatScan>(dimension);
}

}  // namespace facegate
