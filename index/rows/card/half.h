#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace facegate {

// Vectors in half precision (IEEE 754 binary16), as cards search them.
//
// How far a score is from the product of halves. Let q' and x' be query and row with each value
// rounded. Then q.x = q'.x' + (q - q').x + q'.(x - x'), so that by Cauchy and Schwarz
//
//     |q.x - q'.x'| <= |q - q'| |x| + |q'| |x - x'|
//
// where the norms of what rounding leaves over are measured, not guessed. The card's own product is
// within HalfDotErrorBound() of q'.x', and CosineScore() within ScoreErrorBound() of q.x.

// Rounds to the nearest, ties to even. False, with halves that mean nothing, where the vector is
// longer than kLargestNorm (score_bounds.h) or not finite; else `residual` is at least the norm of
// what is left over.
bool RoundToHalves(std::span<const float> vector, std::span<uint16_t> halves, double& residual);

float FromHalf(uint16_t half);

// Halves of faces, which are wiped before their memory goes.
class WipedHalves {
 public:
  WipedHalves() = default;
  explicit WipedHalves(size_t count) : values_(count) {}
  ~WipedHalves() { Wipe(); }
  WipedHalves(const WipedHalves&) = delete;
  WipedHalves& operator=(const WipedHalves&) = delete;

  size_t size() const { return values_.size(); }
  std::span<uint16_t> Part(size_t begin, size_t count) {
    return std::span(values_).subspan(begin, count);
  }
  std::span<const uint16_t> First(size_t count) const { return std::span(values_).first(count); }

 private:
  void Wipe();

  std::vector<uint16_t> values_;
};

// A bound of |a card's product - q'.x'|, for norms up to kLargestNorm each. Products of halves are
// exact in float32. A tensor core adds them in groups whose terms it shifts to the largest one's
// exponent and cuts off there, with 24 bits at least (Fasi, Higham, Mikaitis, Pranesh, "Numerical
// behavior of NVIDIA tensor cores", 2021). So each of the d terms, and of at most d sums, is off by
// 2^-23 of a partial sum, which is at most |q'| |x'| and what the steps before were off by: with
// n = 2 d 2^-23 the sum is off by n / (1 - n) |q'| |x'|.
double HalfDotErrorBound(size_t dimension);

// A bound of |a card's product - CosineScore()| of a query and rows with these residuals.
double HalfScoreErrorBound(size_t dimension, double query_residual, double row_residual);

}  // namespace facegate
