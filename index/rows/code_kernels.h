#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

// The inner loop of a scan over codes (vector_code.h). Each kernel is the same source compiled for
// one instruction set; all compute the same integers.
//
// Codes of rows lie in blocks of 16 rows. A block is a sequence of chunks; a chunk holds four
// successive codes of each of the rows, 64 bytes, and is what one AVX-512 instruction multiplies
// with four codes of a query: each lane is the sum of one row, and nothing is left to add up at the
// end. (A tile of AMX wants the same order.) Codes of rows have 128 added, since the instruction
// takes one factor without a sign; what this adds to a sum is 128 times the sum of the query's
// codes. Nothing saturates: a sum is below 65,536 * 255 * 127 < 2^31.
namespace facegate {

inline constexpr size_t kBlockRows = 16;
inline constexpr size_t kChunkCodes = 4;
inline constexpr size_t kChunkBytes = kBlockRows * kChunkCodes;
inline constexpr size_t kChunkMultiple = 4;  // a block has a multiple of so many chunks
inline constexpr int32_t kCodeOffset = 128;
inline constexpr size_t kQueriesAtOnce = 8;

// Which rows pass: those with by_sum * scale * (sum - offset) + by_residual * residual >= floor, or
// where this is no number.
struct CodeFilter {
  int32_t offset = 0;
  float by_sum = 0.0f;
  float by_residual = 0.0f;
  float floor = 0.0f;
};

struct CodeScanArgs {
  size_t blocks = 0;
  size_t chunks = 0;               // of a block
  const uint8_t* codes = nullptr;  // aligned to 64 bytes
  const float* scale = nullptr;    // one for each row
  const float* residual = nullptr;
  size_t queries = 0;                   // 1, 2, 4 or 8
  const int8_t* query_codes = nullptr;  // for each chunk four codes of each query
  const CodeFilter* filters = nullptr;  // one for each query
  int32_t* sums = nullptr;              // for each block and query one for each row
  uint16_t* passing = nullptr;          // for each block and query: a bit for each row
};

struct CodeKernel {
  std::string_view name;
  void (*scan)(const CodeScanArgs& args) = nullptr;
  // Products of codes that take half a millisecond or less on a slow processor.
  size_t products_at_once = 0;
};

// The kernels that this processor can run, the fastest first; never empty.
const std::vector<CodeKernel>& UsableCodeKernels();
// The kernels that there are for other processors, by name.
std::vector<std::string_view> UnusableCodeKernels();

// These are of one instruction set each; nothing checks that the processor has it.
CodeKernel PortableCodeKernel();
CodeKernel Avx2CodeKernel();
CodeKernel Avx512CodeKernel();

}  // namespace facegate
