#pragma once

#include <immintrin.h>

#include "index/rows/code_kernels.h"

// For files that are compiled for AVX-512 (see code_body.h for what holds for these).

namespace facegate {
namespace {

// As CodeFilter says.
inline uint16_t PassingByAvx512(const int32_t* sums, const float* scale, const float* residual,
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
