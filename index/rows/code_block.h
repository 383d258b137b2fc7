#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "index/rows/code_kernels.h"

namespace facegate {

// How many chunks a block of rows with `dimension` values has (code_kernels.h).
size_t ChunksOf(size_t dimension);

// The codes of kBlockRows rows (vector_code.h) in the order in which kernels read them.
struct CodeBlock {
  uint8_t* codes = nullptr;   // ChunksOf(dimension) * kChunkBytes, aligned to 64 bytes
  float* scale = nullptr;     // kBlockRows
  float* residual = nullptr;  // kBlockRows
};

// Fills all of the block from `rows`, float32 vectors of `dimension` values one after the other, at
// most kBlockRows of them. A place without a row gets a residual of minus infinity, which passes no
// filter. The same codes, scales and residuals as EncodeVector() gives. Takes no memory.
void EncodeBlock(std::span<const float> rows, size_t dimension, const CodeBlock& block);

}  // namespace facegate
