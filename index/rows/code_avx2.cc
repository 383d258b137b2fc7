// Compiled for AVX2 and FMA where the compiler targets x86-64 (CMakeLists.txt).
#include "index/rows/code_kernels.h"

#if defined(__AVX2__)

#include <immintrin.h>

namespace facegate {
namespace {

// The instruction that multiplies bytes saturates, so codes are widened to 16 bits. Four rows are
// in a register, and each has two sums.
struct Rows {
  __m256i fours[4];
};
using Query = __m256i;
struct Sums {
  __m256i fours[4];
};

constexpr size_t kQueriesOfTile = 2;
constexpr size_t kBlocksOfTile = 1;
constexpr size_t kPartsOfOne = 1;
constexpr size_t kPartsOfTwo = 1;

inline Rows LoadRows(const uint8_t* from) {
  Rows rows;
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    rows.fours[i] =
        _mm256_cvtepu8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(from) + i));
  }
  return rows;
}

inline Query LoadQuery(const int8_t* from) {
  int32_t four;
  __builtin_memcpy(&four, from, sizeof(four));
  return _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
}

inline void AddProduct(Sums& sums, const Rows& rows, Query query) {
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    sums.fours[i] = _mm256_add_epi32(sums.fours[i], _mm256_madd_epi16(rows.fours[i], query));
  }
}

inline Sums Added(const Sums& a, const Sums& b) {
  Sums sums;
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) sums.fours[i] = _mm256_add_epi32(a.fours[i], b.fours[i]);
  return sums;
}

inline void StoreSums(const Sums& sums, int32_t* to) {
#pragma GCC unroll 2
  for (size_t i = 0; i < 2; ++i) {
    // Of each half: the rows of the first four, then those of the second four.
    const __m256i eight = _mm256_hadd_epi32(sums.fours[2 * i], sums.fours[2 * i + 1]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to) + i,
                        _mm256_permute4x64_epi64(eight, _MM_SHUFFLE(3, 1, 2, 0)));
  }
}

inline uint16_t Passing(const int32_t* sums, const float* scale, const float* residual,
                        const CodeFilter& filter) {
  int passing = 0;
#pragma GCC unroll 2
  for (size_t i = 0; i < 2; ++i) {
    const __m256i product =
        _mm256_sub_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums) + i),
                         _mm256_set1_epi32(filter.offset));
    const __m256 score =
        _mm256_mul_ps(_mm256_cvtepi32_ps(product),
                      _mm256_mul_ps(_mm256_loadu_ps(scale + 8 * i), _mm256_set1_ps(filter.by_sum)));
    const __m256 upper = _mm256_fmadd_ps(_mm256_loadu_ps(residual + 8 * i),
                                         _mm256_set1_ps(filter.by_residual), score);
    passing |= _mm256_movemask_ps(_mm256_cmp_ps(upper, _mm256_set1_ps(filter.floor), _CMP_NLT_UQ))
               << (8 * i);
  }
  return static_cast<uint16_t>(passing);
}

}  // namespace
}  // namespace facegate

#include "index/rows/code_body.h"

namespace facegate {

void ScanCodesByAvx2(const CodeScanArgs& args) { ScanCodes(args); }

}  // namespace facegate

#endif
