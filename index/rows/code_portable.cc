// Compiled for the processor that the rest of the program is compiled for.
#include "index/rows/code_kernels.h"

namespace facegate {
namespace {

struct Rows {
  const uint8_t* codes;
};
struct Query {
  int32_t codes[kChunkCodes];
};
struct Sums {
  int32_t rows[kBlockRows];
};

constexpr size_t kQueriesOfTile = 1;
constexpr size_t kBlocksOfTile = 1;
constexpr size_t kPartsOfOne = 1;
constexpr size_t kPartsOfTwo = 1;

inline Rows LoadRows(const uint8_t* from) { return {from}; }

inline Query LoadQuery(const int8_t* from) { return {{from[0], from[1], from[2], from[3]}}; }

inline void AddProduct(Sums& sums, Rows rows, const Query& query) {
  for (size_t row = 0; row < kBlockRows; ++row) {
    const uint8_t* codes = rows.codes + row * kChunkCodes;
    sums.rows[row] += codes[0] * query.codes[0] + codes[1] * query.codes[1] +
                      codes[2] * query.codes[2] + codes[3] * query.codes[3];
  }
}

inline Sums Added(const Sums& a, const Sums& b) {
  Sums sums;
  for (size_t row = 0; row < kBlockRows; ++row) sums.rows[row] = a.rows[row] + b.rows[row];
  return sums;
}

inline void StoreSums(const Sums& sums, int32_t* to) {
  for (size_t row = 0; row < kBlockRows; ++row) to[row] = sums.rows[row];
}

inline uint16_t Passing(const int32_t* sums, const float* scale, const float* residual,
                        const CodeFilter& filter) {
  unsigned passing = 0;
  for (size_t row = 0; row < kBlockRows; ++row) {
    const float score =
        static_cast<float>(sums[row] - filter.offset) * (scale[row] * filter.by_sum);
    const float upper = residual[row] * filter.by_residual + score;
    passing |= static_cast<unsigned>(!(upper < filter.floor)) << row;
  }
  return static_cast<uint16_t>(passing);
}

}  // namespace
}  // namespace facegate

#include "index/rows/code_body.h"

namespace facegate {

void ScanCodesPortably(const CodeScanArgs& args) { ScanCodes(args); }

}  // namespace facegate
