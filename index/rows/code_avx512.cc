// Compiled for AVX-512 with VNNI where the compiler targets x86-64 (CMakeLists.txt).
#include "index/rows/code_kernels.h"

#if defined(__AVX512VNNI__)

#include <immintrin.h>

#include "index/rows/code_avx512_filter.h"

namespace facegate {
namespace {

using Rows = __m512i;
using Query = __m512i;
using Sums = __m512i;

constexpr size_t kQueriesOfTile = 8;
constexpr size_t kBlocksOfTile = 2;
constexpr size_t kPartsOfOne = 4;
constexpr size_t kPartsOfTwo = 2;

inline Rows LoadRows(const uint8_t* from) { return _mm512_load_si512(from); }

inline Query LoadQuery(const int8_t* from) {
  int32_t four;
  __builtin_memcpy(&four, from, sizeof(four));
  return _mm512_set1_epi32(four);
}

inline void AddProduct(Sums& sums, Rows rows, Query query) {
  sums = _mm512_dpbusd_epi32(sums, rows, query);
}

inline Sums Added(Sums a, Sums b) { return _mm512_add_epi32(a, b); }
inline void StoreSums(Sums sums, int32_t* to) { _mm512_storeu_si512(to, sums); }

inline uint16_t Passing(const int32_t* sums, const float* scale, const float* residual,
                        const CodeFilter& filter) {
  return PassingByAvx512(sums, scale, residual, filter);
}

}  // namespace
}  // namespace facegate

#include "index/rows/code_body.h"

namespace facegate {

void ScanCodesByAvx512(const CodeScanArgs& args) { ScanCodes(args); }

}  // namespace facegate

#endif
