#include "index/rows/code_scan.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include "face/base/check.h"
#include "index/rows/code_block.h"
#include "index/rows/float_dot.h"
#include "index/rows/row_offer.h"
#include "index/rows/score_bounds.h"
#include "index/rows/vector_code.h"

namespace facegate {
namespace {

static_assert(kPieceRows == kBlockRows);

// Blocks whose sums are at hand together: their codes stay in the cache while the queries take
// turns. A kernel that takes many queries prepares them for each call, so it gets more blocks.
constexpr size_t kBlocksAtOnce = 16;
constexpr size_t kMostBlocksAtOnce = 64;
// What a bound in float is off by at most: s t (c.d) is at most 4.1 and by_residual |r| at most 2.2
// (vector_code.h), and each takes part in six roundings by 2^-24 or fewer.
constexpr double kFilterError = 1e-5;

constexpr std::align_val_t kAlignment{kChunkBytes};

// Memory for codes, which is no memory of the process's until it is written.
class CodeBytes {
 public:
  explicit CodeBytes(size_t size)
      : bytes_(static_cast<uint8_t*>(::operator new(size, kAlignment))) {}
  ~CodeBytes() { ::operator delete(bytes_, kAlignment); }
  CodeBytes(const CodeBytes&) = delete;
  CodeBytes& operator=(const CodeBytes&) = delete;
  uint8_t* get() const { return bytes_; }

 private:
  uint8_t* const bytes_;
};

// The codes of a segment's whole blocks.
class CodeSegment final : public SegmentScan {
 public:
  CodeSegment(size_t capacity, size_t block_bytes)
      : block_bytes_(block_bytes),
        codes_((capacity + kBlockRows - 1) / kBlockRows * block_bytes),
        scale_(capacity),
        residual_(capacity) {}
  // Leaves no code behind in memory that others get.
  ~CodeSegment() override { std::memset(codes_.get(), 0, coded() / kBlockRows * block_bytes_); }

  void Added(const Segment& segment, size_t row) override {
    if ((row + 1) % kBlockRows != 0) return;
    const size_t first = row + 1 - kBlockRows;
    const size_t dimension = segment.dimension();
    EncodeBlock({segment.Vector(first).data(), kBlockRows * dimension}, dimension,
                {.codes = codes_.get() + first / kBlockRows * block_bytes_,
                 .scale = scale_.data() + first,
                 .residual = residual_.data() + first});
    coded_.store(row + 1, std::memory_order_release);
  }

  // How many rows have codes: a multiple of kBlockRows.
  size_t coded() const { return coded_.load(std::memory_order_acquire); }
  const uint8_t* CodesFrom(size_t row) const {
    return codes_.get() + row / kBlockRows * block_bytes_;
  }
  const float* scale() const { return scale_.data(); }
  const float* residual() const { return residual_.data(); }

 private:
  const size_t block_bytes_;
  const CodeBytes codes_;
  std::vector<float> scale_;
  std::vector<float> residual_;
  std::atomic<size_t> coded_{0};
};

// Up to CodeKernel::queries_at_once queries, as a kernel takes them.
struct QueryTile {
  size_t queries = 0;
  size_t width = 0;  // a power of 2: what is missing are queries that nothing passes
  std::vector<int8_t> codes;
  std::array<QueryBound, kMostQueriesAtOnce> bounds;
  std::array<CodeFilter, kMostQueriesAtOnce> filters;
};

class CodeQueries final : public ScanQueries {
 public:
  CodeQueries(size_t dimension, const CodeKernel& kernel,
              std::span<const std::span<const float>> queries)
      : dimension_(dimension),
        kernel_(kernel),
        float_error_(FloatDotErrorBound(dimension)),
        queries_(queries) {
    const size_t most = kernel_.queries_at_once;
    for (size_t first = 0; first < queries.size(); first += most) {
      tiles_.push_back(MakeTile(queries.subspan(first, std::min(most, queries.size() - first))));
    }
  }

  void Scan(const RowPiece& piece, std::span<CandidateSelection> selections) const override {
    const size_t rows =
        (kernel_.queries_at_once > 8 ? kMostBlocksAtOnce : kBlocksAtOnce) * kBlockRows;
    const auto& codes = static_cast<const CodeSegment&>(*piece.segment->scan());
    const size_t coded = std::max(piece.begin, std::min(codes.coded(), RoundedUp(piece.end)));
    for (size_t begin = piece.begin; begin < coded; begin += rows) {
      RowPiece part = piece;
      part.begin = begin;
      part.end = std::min({piece.end, coded, begin + rows});
      size_t first = 0;
      for (const QueryTile& tile : tiles_) {
        ScanPart(part, codes, tile, selections.subspan(first, tile.queries));
        first += tile.queries;
      }
    }
    for (size_t row = coded; row < piece.end; ++row) {
      for (size_t q = 0; q < queries_.size(); ++q) {
        OfferRow(piece, row, FloatDot(queries_[q], piece.segment->Vector(row)), float_error_,
                 selections[q]);
      }
    }
  }

 private:
  struct Outcome {
    std::array<int32_t, kMostBlocksAtOnce * kMostQueriesAtOnce * kBlockRows> sums;
    std::array<uint16_t, kMostBlocksAtOnce * kMostQueriesAtOnce> passing;
  };

  static size_t RoundedUp(size_t rows) { return (rows + kBlockRows - 1) / kBlockRows * kBlockRows; }

  QueryTile MakeTile(std::span<const std::span<const float>> queries) const {
    QueryTile tile;
    tile.queries = queries.size();
    tile.width = std::bit_ceil(queries.size());
    tile.codes.resize(ChunksOf(dimension_) * tile.width * kChunkCodes);
    std::vector<int8_t> codes(dimension_);
    for (CodeFilter& filter : tile.filters) filter.floor = std::numeric_limits<float>::infinity();
    for (size_t q = 0; q < queries.size(); ++q) {
      const VectorCode code = EncodeVector(queries[q], codes);
      tile.bounds[q] = BoundOf(code, codes);
      CodeFilter& filter = tile.filters[q];
      filter.by_sum = code.scale;
      filter.by_residual = std::nextafter(static_cast<float>(tile.bounds[q].by_residual),
                                          std::numeric_limits<float>::infinity());
      for (size_t i = 0; i < codes.size(); ++i) {
        tile.codes[(i / kChunkCodes * tile.width + q) * kChunkCodes + i % kChunkCodes] = codes[i];
        filter.offset += kCodeOffset * codes[i];
      }
    }
    return tile;
  }

  void ScanPart(const RowPiece& part, const CodeSegment& codes, const QueryTile& tile,
                std::span<CandidateSelection> selections) const {
    std::array<CodeFilter, kMostQueriesAtOnce> filters = tile.filters;
    for (size_t q = 0; q < tile.queries; ++q) {
      filters[q].floor = FloorOf(selections[q].floor(), tile.bounds[q].constant);
    }
    Outcome outcome;
    const CodeScanArgs args{.blocks = RoundedUp(part.end - part.begin) / kBlockRows,
                            .chunks = ChunksOf(dimension_),
                            .codes = codes.CodesFrom(part.begin),
                            .scale = codes.scale() + part.begin,
                            .residual = codes.residual() + part.begin,
                            .queries = tile.width,
                            .query_codes = tile.codes.data(),
                            .filters = filters.data(),
                            .sums = outcome.sums.data(),
                            .passing = outcome.passing.data()};
    kernel_.scan(args);
    for (size_t block = 0; block < args.blocks; ++block) {
      RowPiece rows = part;
      rows.begin = part.begin + block * kBlockRows;
      rows.end = std::min(part.end, rows.begin + kBlockRows);
      for (size_t q = 0; q < tile.queries; ++q) {
        const size_t place = block * tile.width + q;
        if (outcome.passing[place] == 0) continue;
        OfferRows(rows, codes, outcome.passing[place], outcome.sums.data() + place * kBlockRows,
                  tile, q, selections[q]);
      }
    }
  }

  // A float that no bound in float is below whose row has an upper bound of `floor` or more.
  static float FloorOf(double floor, double constant) {
    const double least = floor - constant - kFilterError;
    if (std::isnan(least)) return -std::numeric_limits<float>::infinity();
    return std::nextafter(static_cast<float>(least), -std::numeric_limits<float>::infinity());
  }

  // Those rows of a block that pass.
  static void OfferRows(const RowPiece& rows, const CodeSegment& codes, uint16_t passing,
                        const int32_t* sums, const QueryTile& tile, size_t query,
                        CandidateSelection& selection) {
    const QueryBound& bound = tile.bounds[query];
    for (unsigned left = passing; left != 0; left &= left - 1) {
      const auto place = static_cast<size_t>(std::countr_zero(left));
      const size_t row = rows.begin + place;
      if (row >= rows.end) return;  // it came later
      const RowLabel label = rows.segment->LabelOf(row);
      if (!label.IsIn(rows.snapshot)) continue;
      const double score =
          bound.Score(codes.scale()[row], sums[place] - tile.filters[query].offset);
      const double error = bound.Error(codes.residual()[row]);
      selection.Offer({.lower = score - error,
                       .upper = score + error,
                       .group = label.group,
                       .template_id = label.template_id,
                       .vector = rows.segment->Vector(row).data()});
    }
  }

  const size_t dimension_;
  const CodeKernel& kernel_;
  const double float_error_;
  const std::span<const std::span<const float>> queries_;
  std::vector<QueryTile> tiles_;
};

class CodeScan final : public RowScan {
 public:
  CodeScan(size_t dimension, const CodeKernel& kernel) : dimension_(dimension), kernel_(kernel) {
    FACEGATE_CHECK(dimension <= kLargestCodedDimension);
  }

  std::unique_ptr<SegmentScan> Follow(size_t capacity) const override {
    return std::make_unique<CodeSegment>(capacity, ChunksOf(dimension_) * kChunkBytes);
  }
  std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> queries) const override {
    return std::make_unique<CodeQueries>(dimension_, kernel_, queries);
  }
  size_t scanned_at_once() const override { return kernel_.products_at_once; }

 private:
  const size_t dimension_;
  const CodeKernel kernel_;
};

}  // namespace

std::unique_ptr<RowScan> MakeCodeScan(size_t dimension, const CodeKernel& kernel) {
  return std::make_unique<CodeScan>(dimension, kernel);
}

}  // namespace facegate
