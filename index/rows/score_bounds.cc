#include "index/rows/score_bounds.h"

#include <cmath>

namespace facegate {
namespace {

constexpr double kLargestDot = kLargestNorm * kLargestNorm;
// The few operations in double by which a bound is computed are off by far less than a millionth.
constexpr double kUpwards = 1.0 + 1e-6;

// Higham, "Accuracy and Stability of Numerical Algorithms", 3.1: whatever the order of summation,
// |fl(x.y) - x.y| <= g(d, u) * sum |x_i y_i| with g(d, u) = d u / (1 - d u), and the sum is at most
// |x| |y| by Cauchy and Schwarz. u is 2^-24 in float and 2^-53 in double.
double SumError(size_t dimension, double unit) {
  const double product = static_cast<double>(dimension) * unit;
  return product / (1.0 - product) * kLargestDot;
}

}  // namespace

double ScoreErrorBound(size_t dimension) {
  const double of_double = SumError(dimension, std::ldexp(1.0, -53));
  // The sum is rounded to float, which is off by another u of its value, or in the subnormal range
  // by 2^-126 even if flushed to zero.
  const double of_rounding = std::ldexp(kLargestDot + of_double, -24);
  return (of_double + of_rounding + std::ldexp(1.0, -126)) * kUpwards;
}

double FloatDotErrorBound(size_t dimension) {
  // A product in the subnormal range, where the model does not hold, is off by 2^-126 at most even
  // if flushed to zero, and so is a sum.
  const double of_underflow = std::ldexp(static_cast<double>(dimension), -123);
  const double of_float = SumError(dimension, std::ldexp(1.0, -24));
  return (of_float + ScoreErrorBound(dimension) + of_underflow) * kUpwards;
}

}  // namespace facegate
