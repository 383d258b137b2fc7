#pragma once

#include <cstddef>

namespace facegate {

// Vectors count as unit vectors when their norm is within 1e-3 of 1 (Embedding::FromUnit()).
inline constexpr double kLargestNorm = 1.001;

// A bound of |CosineScore() - x.y| of two vectors of `dimension` values and norms up to
// kLargestNorm, where x.y is the dot product of real numbers.
double ScoreErrorBound(size_t dimension);

// A bound of |float32 dot product - CosineScore()| of such vectors, in whatever order the float32
// sum was taken (SIMD lanes, blocks, fused or not).
double FloatDotErrorBound(size_t dimension);

}  // namespace facegate
