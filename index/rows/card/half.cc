#include "index/rows/card/half.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "index/rows/score_bounds.h"

namespace facegate {
namespace {

// The few operations in double by which a bound is computed are off by far less than a millionth.
constexpr double kUpwards = 1.0 + 1e-6;
constexpr uint32_t kHalf = std::bit_cast<uint32_t>(0.5f);

// Of a value up to 2; others give what means nothing.
inline uint16_t ToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffffu;
  // The exponent is of another base, and 13 bits of the fraction go.
  const uint32_t normal = (magnitude - (112u << 23) + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  // Beside 0.5 a float has a step of 2^-24, that of the smallest halves.
  const uint32_t small = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - kHalf;
  const bool is_small = magnitude < (113u << 23);
  return static_cast<uint16_t>((is_small ? small : normal) | (bits >> 16 & 0x8000u));
}

// Of a value up to 2.
inline float ToFloat(uint16_t half) {
  const uint32_t magnitude = half & 0x7fffu;
  const float normal = std::bit_cast<float>((magnitude << 13) + (112u << 23));
  const float small = std::bit_cast<float>(kHalf + magnitude) - 0.5f;
  const float value = magnitude < 0x400u ? small : normal;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(value) | (half & 0x8000u) << 16);
}

}  // namespace

float FromHalf(uint16_t half) { return ToFloat(half); }

void WipedHalves::Wipe() {
  std::fill(values_.begin(), values_.end(), uint16_t{0});
  // So that the compiler does not leave it out as without effect.
  __asm__ __volatile__("" : : "r"(values_.data()) : "memory");
}

bool RoundToHalves(std::span<const float> vector, std::span<uint16_t> halves, double& residual) {
  double norm = 0.0;
  double left_over = 0.0;
  for (size_t i = 0; i < vector.size(); ++i) {
    halves[i] = ToHalf(vector[i]);
    const double value = vector[i];
    const double error = value - static_cast<double>(ToFloat(halves[i]));
    norm += value * value;
    left_over += error * error;
  }
  residual = std::sqrt(left_over) * kUpwards;
  // Also false for what is no number.
  return norm <= kLargestNorm * kLargestNorm;
}

double HalfDotErrorBound(size_t dimension) {
  // A half is off by 2^-11 of its value at most, or 2^-25.
  const double norm =
      kLargestNorm * (1.0 + 0x1p-11) + std::sqrt(static_cast<double>(dimension)) * 0x1p-25;
  const double steps = 2.0 * static_cast<double>(dimension) * 0x1p-23;
  return steps / (1.0 - steps) * norm * norm * kUpwards;
}

double HalfScoreErrorBound(size_t dimension, double query_residual, double row_residual) {
  const double of_rounding =
      query_residual * kLargestNorm + (kLargestNorm + query_residual) * row_residual;
  return (of_rounding + HalfDotErrorBound(dimension) + ScoreErrorBound(dimension)) * kUpwards;
}

}  // namespace facegate
