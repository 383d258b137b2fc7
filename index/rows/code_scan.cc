#include "index/rows/code_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "index/rows/vector_code.h"

namespace facegate {
namespace {

static_assert(kPieceRows == kBlockRows);

// Blocks whose sums are at hand together: their codes stay in the cache while the queries take
// turns.
constexpr size_t kBlocksAtOnce = 16;
// What a bound in float is off by at most: s t (c.d) is at most 4.1 and by_residual |r| at most 2.2
// (vector_code.h), and each takes part in six roundings by 2^-24 or fewer.
constexpr double kFilterError = 1e-5;

constexpr std::align_val_t kAlignment{kChunkBytes};

// Memory for codes, which is zero once it is used.
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

struct CodeSegment {
  CodeSegment(size_t rows, size_t block_bytes)
      : codes(rows / kBlockRows * block_bytes),
        scale(rows, 0.0f),
        residual(rows, -std::numeric_limits<float>::infinity()) {}

  CodeBytes codes;
  size_t used_blocks = 0;  // the others were never written
  std::vector<float> scale;
  std::vector<float> residual;  // of a row that is not there: minus infinity
};

class CodeScan final : public RowScan {
 public:
  CodeScan(const RowTable& rows, const CodeKernel& kernel)
      : rows_(rows), kernel_(kernel), chunks_(ChunksOf(rows.dimension())) {
    FACEGATE_CHECK(rows.dimension() <= kLargestCodedDimension);
    codes_.resize(rows.dimension());
  }
  // Leaves no code behind in memory that others get.
  ~CodeScan() override {
    for (const auto& segment : segments_) {
      std::memset(segment->codes.get(), 0, segment->used_blocks * block_bytes());
    }
  }

  void AddSegment(size_t rows) override {
    FACEGATE_CHECK(rows % kBlockRows == 0);
    segments_.push_back(std::make_unique<CodeSegment>(rows, block_bytes()));
  }
  void DropSegment() override { segments_.pop_back(); }

  void Added(VectorIndex::Slot slot, std::span<const float> vector) override {
    CodeSegment& segment = *segments_[slot.segment];
    const VectorCode code = EncodeVector(vector, codes_);
    for (; segment.used_blocks <= slot.row / kBlockRows; ++segment.used_blocks) {
      std::memset(segment.codes.get() + segment.used_blocks * block_bytes(), 0, block_bytes());
    }
    segment.scale[slot.row] = code.scale;
    segment.residual[slot.row] = code.residual;
    Write(slot, codes_);
  }

  void Removed(VectorIndex::Slot slot) override {
    CodeSegment& segment = *segments_[slot.segment];
    segment.scale[slot.row] = 0.0f;
    segment.residual[slot.row] = -std::numeric_limits<float>::infinity();
    std::fill(codes_.begin(), codes_.end(), int8_t{0});
    Write(slot, codes_);
  }

  std::unique_ptr<ScanQueries> Prepare(
      std::span<const std::span<const float>> queries) const override;
  size_t scanned_at_once() const override { return kernel_.products_at_once; }

  const RowTable& rows() const { return rows_; }
  const CodeKernel& kernel() const { return kernel_; }
  size_t chunks() const { return chunks_; }
  size_t block_bytes() const { return chunks_ * kChunkBytes; }
  const CodeSegment& segment(size_t number) const { return *segments_[number]; }

 private:
  static size_t ChunksOf(size_t dimension) {
    constexpr size_t kCodes = kChunkCodes * kChunkMultiple;
    return (dimension + kCodes - 1) / kCodes * kChunkMultiple;
  }

  void Write(VectorIndex::Slot slot, std::span<const int8_t> codes) {
    uint8_t* const to = segments_[slot.segment]->codes.get() +
                        slot.row / kBlockRows * block_bytes() + slot.row % kBlockRows * kChunkCodes;
    for (size_t i = 0; i < codes.size(); ++i) {
      to[i / kChunkCodes * kChunkBytes + i % kChunkCodes] =
          static_cast<uint8_t>(codes[i] + kCodeOffset);
    }
  }

  const RowTable& rows_;
  const CodeKernel kernel_;
  const size_t chunks_;
  std::vector<std::unique_ptr<CodeSegment>> segments_;
  std::vector<int8_t> codes_;  // where a row is encoded: a change must not need memory
};

// Up to CodeKernel::queries_at_once queries, as a kernel takes them.
struct QueryTile {
  size_t queries = 0;
  size_t width = 0;  // 1, 2, 4 or 8: what is missing are queries that nothing passes
  std::vector<int8_t> codes;
  std::array<QueryBound, kMostQueriesAtOnce> bounds;
  std::array<CodeFilter, kMostQueriesAtOnce> filters;
};

class CodeQueries final : public ScanQueries {
 public:
  CodeQueries(const CodeScan& scan, std::span<const std::span<const float>> queries) : scan_(scan) {
    for (size_t first = 0; first < queries.size(); first += scan_.kernel().queries_at_once) {
      tiles_.push_back(MakeTile(queries.subspan(
          first, std::min(scan_.kernel().queries_at_once, queries.size() - first))));
    }
  }

  void Scan(const RowPiece& piece, std::span<CandidateSelection> selections) const override {
    constexpr size_t kRows = kBlocksAtOnce * kBlockRows;
    for (size_t begin = piece.begin; begin < piece.end; begin += kRows) {
      const RowPiece part{
          .segment = piece.segment, .begin = begin, .end = std::min(piece.end, begin + kRows)};
      size_t first = 0;
      for (const QueryTile& tile : tiles_) {
        ScanPart(part, tile, selections.subspan(first, tile.queries));
        first += tile.queries;
      }
    }
  }

 private:
  struct Outcome {
    std::array<int32_t, kBlocksAtOnce * kMostQueriesAtOnce * kBlockRows> sums;
    std::array<uint16_t, kBlocksAtOnce * kMostQueriesAtOnce> passing;
  };

  QueryTile MakeTile(std::span<const std::span<const float>> queries) const {
    QueryTile tile;
    tile.queries = queries.size();
    tile.width = std::bit_ceil(queries.size());
    tile.codes.resize(scan_.chunks() * tile.width * kChunkCodes);
    std::vector<int8_t> codes(scan_.rows().dimension());
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

  void ScanPart(const RowPiece& part, const QueryTile& tile,
                std::span<CandidateSelection> selections) const {
    const CodeSegment& segment = scan_.segment(part.segment);
    std::array<CodeFilter, kMostQueriesAtOnce> filters = tile.filters;
    for (size_t q = 0; q < tile.queries; ++q) {
      filters[q].floor = FloorOf(selections[q].floor(), tile.bounds[q].constant);
    }
    Outcome outcome;
    const CodeScanArgs args{
        .blocks = (part.end - part.begin + kBlockRows - 1) / kBlockRows,
        .chunks = scan_.chunks(),
        .codes = segment.codes.get() + part.begin / kBlockRows * scan_.block_bytes(),
        .scale = segment.scale.data() + part.begin,
        .residual = segment.residual.data() + part.begin,
        .queries = tile.width,
        .query_codes = tile.codes.data(),
        .filters = filters.data(),
        .sums = outcome.sums.data(),
        .passing = outcome.passing.data()};
    scan_.kernel().scan(args);
    for (size_t block = 0; block < args.blocks; ++block) {
      for (size_t q = 0; q < tile.queries; ++q) {
        const size_t place = block * tile.width + q;
        if (outcome.passing[place] == 0) continue;
        OfferRows({.segment = static_cast<uint32_t>(part.segment),
                   .row = static_cast<uint32_t>(part.begin + block * kBlockRows)},
                  outcome.passing[place], outcome.sums.data() + place * kBlockRows, tile, q,
                  selections[q]);
      }
    }
  }

  // A float that no bound in float is below whose row has an upper bound of `floor` or more.
  static float FloorOf(double floor, double constant) {
    const double least = floor - constant - kFilterError;
    if (std::isnan(least)) return -std::numeric_limits<float>::infinity();
    return std::nextafter(static_cast<float>(least), -std::numeric_limits<float>::infinity());
  }

  // Those rows of the block that begins with `first` that pass.
  void OfferRows(VectorIndex::Slot first, uint16_t passing, const int32_t* sums,
                 const QueryTile& tile, size_t query, CandidateSelection& selection) const {
    const CodeSegment& segment = scan_.segment(first.segment);
    const QueryBound& bound = tile.bounds[query];
    for (unsigned left = passing; left != 0; left &= left - 1) {
      const auto place = static_cast<uint32_t>(std::countr_zero(left));
      const VectorIndex::Slot slot{.segment = first.segment, .row = first.row + place};
      const RowLabel& label = scan_.rows().LabelOf(slot);
      if (label.template_id == 0) continue;
      const double score =
          bound.Score(segment.scale[slot.row], sums[place] - tile.filters[query].offset);
      const double error = bound.Error(segment.residual[slot.row]);
      selection.Offer({.lower = score - error,
                       .upper = score + error,
                       .group = label.group,
                       .template_id = label.template_id,
                       .slot = slot});
    }
  }

  const CodeScan& scan_;
  std::vector<QueryTile> tiles_;
};

std::unique_ptr<ScanQueries> CodeScan::Prepare(
    std::span<const std::span<const float>> queries) const {
  return std::make_unique<CodeQueries>(*this, queries);
}

}  // namespace

std::unique_ptr<RowScan> MakeCodeScan(const RowTable& rows, const CodeKernel& kernel) {
  return std::make_unique<CodeScan>(rows, kernel);
}

}  // namespace facegate
