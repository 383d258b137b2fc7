#include "index/rows/vector_code.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "face/base/check.h"
#include "index/rows/score_bounds.h"

namespace facegate {
namespace {

constexpr double kUpwards = 1.0 + 1e-6;
constexpr float kLargestCode = 127.0f;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

float RoundedUp(double norm) {
  return std::nextafter(static_cast<float>(norm * kUpwards),
                        std::numeric_limits<float>::infinity());
}

}  // namespace

VectorCode EncodeVector(std::span<const float> vector, std::span<int8_t> codes) {
  FACEGATE_CHECK(vector.size() == codes.size() && vector.size() <= kLargestCodedDimension);
  std::fill(codes.begin(), codes.end(), int8_t{0});
  double squares = 0.0;
  float largest = 0.0f;
  for (const float value : vector) {
    squares += static_cast<double>(value) * static_cast<double>(value);
    largest = std::max(largest, std::abs(value));
  }
  const double norm = std::sqrt(squares);
  // Neither is true of a norm that is no number.
  if (!(norm <= kLargestNorm)) return {.scale = 0.0f, .residual = static_cast<float>(kInfinity)};
  const float scale = largest / kLargestCode;
  if (scale < std::numeric_limits<float>::min()) return {.residual = RoundedUp(norm)};
  double left = 0.0;
  for (size_t i = 0; i < vector.size(); ++i) {
    const float code = std::clamp(std::nearbyint(vector[i] / scale), -kLargestCode, kLargestCode);
    codes[i] = static_cast<int8_t>(code);
    // The product has 31 bits, and the difference is exact or off by 2^-53 of its value.
    const double rest =
        static_cast<double>(vector[i]) - static_cast<double>(scale) * static_cast<double>(code);
    left += rest * rest;
  }
  return {.scale = scale, .residual = RoundedUp(std::sqrt(left))};
}

double QueryBound::Error(float row_residual) const {
  const double error = by_residual * static_cast<double>(row_residual) + constant;
  return std::isnan(error) ? kInfinity : error;  // 0 times infinity
}

QueryBound BoundOf(const VectorCode& query, std::span<const int8_t> codes) {
  int64_t squares = 0;
  for (const int8_t code : codes) squares += int64_t{code} * int64_t{code};
  const auto scale = static_cast<double>(query.scale);
  const double of_query = static_cast<double>(query.residual) * kLargestNorm;
  return {.scale = scale,
          .by_residual = scale * std::sqrt(static_cast<double>(squares)) * kUpwards,
          .constant = (of_query + ScoreErrorBound(codes.size())) * kUpwards + 1e-12};
}

}  // namespace facegate
