// Compiled for AVX-512 with VNNI where the compiler targets x86-64 (CMakeLists.txt).
#include "index/rows/code_kernels.h"

#if defined(__AVX512VNNI__)

#include <immintrin.h>

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
  const __m512i product =
      _mm512_sub_epi32(_mm512_loadu_si512(sums), _mm512_set1_epi32(filter.offset));
  const __m512 score =
      _mm512_mul_ps(_mm512_maskz_cvtepi32_ps(0xFFFF, product),
                    _mm512_mul_ps(_mm512_loadu_ps(scale), _mm512_set1_ps(filter.by_sum)));
  const __m512 upper =
      _mm512_fmadd_ps(_mm512_loadu_ps(residual), _mm512_set1_ps(filter.by_residual), score);
  return _mm512_cmp_ps_mask(upper, _mm512_set1_ps(filter.floor), _CMP_NLT_UQ);
}

}  // namespace
}  // namespace facegate

#include "index/rows/code_body.h"

namespace facegate {

CodeKernel Avx512CodeKernel() {
  return {.name = "avx512-vnni", .scan = ScanCodes, .products_at_once = size_t{1} << 22};
}

}  // namespace facegate

#endif
