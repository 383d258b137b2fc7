#include "index/rows/code_block.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "face/base/check.h"
#include "index/rows/vector_code.h"

namespace facegate {

size_t ChunksOf(size_t dimension) {
  constexpr size_t kCodes = kChunkCodes * kChunkMultiple;
  return (dimension + kCodes - 1) / kCodes * kChunkMultiple;
}

void EncodeBlock(std::span<const float> rows, size_t dimension, const CodeBlock& block) {
  FACEGATE_CHECK(dimension > 0);
  const size_t count = rows.size() / dimension;
  FACEGATE_CHECK(count * dimension == rows.size() && count <= kBlockRows);
  if (count < kBlockRows) {
    std::memset(block.codes, kCodeOffset, ChunksOf(dimension) * kChunkBytes);
    std::fill_n(block.scale, kBlockRows, 0.0f);
    std::fill_n(block.residual, kBlockRows, -std::numeric_limits<float>::infinity());
  }
  for (size_t row = 0; row < count; ++row) {
    const VectorCode code =
        EncodeRow(rows.subspan(row * dimension, dimension), block.codes + row * kChunkCodes);
    block.scale[row] = code.scale;
    block.residual[row] = code.residual;
  }
}

}  // namespace facegate
