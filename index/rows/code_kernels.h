#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

// The inner loop of a scan over codes (vector_code.h), for each instruction set; all compute the
// same integers.
//
// Codes of rows lie in blocks of 16 rows. A block is a sequence of chunks; a chunk holds four
// successive codes of each of the rows, 64 bytes, and is what one AVX-512 instruction multiplies
// with four codes of a query: each lane is the sum of one row, and nothing is left to add up at the
// end. 16 chunks are a tile of AMX. Codes of rows have 128 added, since the instructions take one
// factor without a sign; what this adds to a sum is 128 times the sum of the query's codes. Nothing
// saturates: a sum is at most 65,536 * 255 * 127 < 2^31.
namespace facegate {

inline constexpr size_t kBlockRows = 16;
inline constexpr size_t kChunkCodes = 4;
inline constexpr size_t kChunkBytes = kBlockRows * kChunkCodes;
inline constexpr size_t kChunkMultiple = 4;  // a block has a multiple of so many chunks
inline constexpr int32_t kCodeOffset = 128;
inline constexpr size_t kMostQueriesAtOnce = 16;

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
  size_t queries = 0;                   // a power of 2, at most CodeKernel::queries_at_once
  const int8_t* query_codes = nullptr;  // for each chunk four codes of each query
  const CodeFilter* filters = nullptr;  // one for each query
  int32_t* sums = nullptr;              // for each block and query one for each row
  uint16_t* passing = nullptr;          // for each block and query: a bit for each row
};

struct CodeKernel {
  std::string_view name;
  void (*scan)(const CodeScanArgs& args) = nullptr;
  size_t queries_at_once = 8;  // 8 or kMostQueriesAtOnce
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
CodeKernel AmxCodeKernel();  // with AVX-512 VNNI

// Their loops, each in a file of its own that is compiled for the instruction set.
void ScanCodesPortably(const CodeScanArgs& args);
void ScanCodesByAvx2(const CodeScanArgs& args);
void ScanCodesByAvx512(const CodeScanArgs& args);
void ScanCodesByAmx(const CodeScanArgs& args);

}  // namespace facegate
