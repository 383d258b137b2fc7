#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace facegate {

// A vector x of float32 values as small integers: x = s c + r, with a scale s, a code c of integers
// from -127 to 127, and what is left over, r, of which the norm alone is kept.
//
// How far a score is from what codes say. Let a row be x = s c + r and a query q = t d + e, as real
// numbers: s and t are floats, r and e are defined by the equations. Then
//
//     q.x = t d.x + e.x = s t (c.d) + t (d.r) + e.x
//
// and by Cauchy and Schwarz |q.x - s t (c.d)| <= t |d| |r| + |e| |x|. CosineScore(q, x) is within
// ScoreErrorBound() of q.x, so that it is within
//
//     by_residual |r| + constant,
//     by_residual = t |d|,   constant = |e| kLargestNorm + ScoreErrorBound()
//
// of s t (c.d) when |x| <= kLargestNorm. c.d is an integer and computed without error. Everything
// else that is computed is rounded upwards: norms by a millionth, where sums of squares in double
// are off by d 2^-53 of their value in whatever order they are taken, and to the next float;
// s t (c.d) in double is off by less than 1e-12, since |s c| <= |x| + |r|, |t d| <= |q| + |e| and,
// c_i being the nearest integer to x_i / s, |r| <= s sqrt(d) / 2 <= 1.01 for 65,536 values.
//
// A vector with a norm above kLargestNorm, or with a value that is not finite, gets the code 0 and
// an infinite residual: its scores can be anything, and it is always scored by CosineScore(). One
// so short that its scale would be no normal float gets the code 0, too, and is its own residual.

inline constexpr size_t kLargestCodedDimension = 65536;

struct VectorCode {
  float scale = 0.0f;
  float residual = 0.0f;  // at least |r|
};

// Fills `codes`, one for each value.
VectorCode EncodeVector(std::span<const float> vector, std::span<int8_t> codes);

// The same as one row of a block (code_kernels.h): the first four codes, with kCodeOffset added, go
// to `chunks`, the next four to kChunkBytes behind it, and so on. What is missing of a multiple of
// kChunkMultiple chunks is filled with codes of 0.
VectorCode EncodeRow(std::span<const float> vector, uint8_t* chunks);

// What a scan needs to know of a query: row code and query code have the product c.d.
struct QueryBound {
  double scale = 0.0;  // t
  double by_residual = 0.0;
  double constant = 0.0;  // infinite where nothing is known

  double Score(float row_scale, int32_t product) const {
    return static_cast<double>(row_scale) * scale * static_cast<double>(product);
  }
  // May be infinite.
  double Error(float row_residual) const;
};

QueryBound BoundOf(const VectorCode& query, std::span<const int8_t> codes);

}  // namespace facegate
