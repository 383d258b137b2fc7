#include "face/base/embedding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "face/base/check.h"

namespace facegate {
namespace {

constexpr double kSmallestNorm = 1e-12;
constexpr double kUnitTolerance = 1e-3;

// Infinite or NaN when any value is.
double Norm(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(sum);
}

Status Invalid(std::string_view what) { return Refuse(Reason::kEmbeddingInvalid, what); }

// `values` has one that is not finite, or they are so large that their squares' sum is not.
Status NotFinite(std::span<const float> values) {
  const auto odd = std::find_if_not(values.begin(), values.end(),
                                    [](float value) { return std::isfinite(value); });
  return Invalid(fmt::format("value {} of {} is not finite", odd - values.begin(), values.size()));
}

}  // namespace

StatusOr<Embedding> Embedding::Normalize(std::span<const float> values) {
  if (values.empty()) return Invalid("embedding has no values");
  const double norm = Norm(values);
  if (!std::isfinite(norm)) return NotFinite(values);
  if (norm < kSmallestNorm) {
    return Invalid(
        fmt::format("embedding has the length {}, must be at least {}", norm, kSmallestNorm));
  }
  std::vector<float> unit(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    unit[i] = static_cast<float>(static_cast<double>(values[i]) / norm);
  }
  return Embedding(std::move(unit));
}

StatusOr<Embedding> Embedding::FromUnit(std::vector<float> values) {
  const double norm = Norm(values);
  if (!std::isfinite(norm)) return NotFinite(values);
  if (std::abs(norm - 1.0) > kUnitTolerance) return Invalid("embedding is not of unit length");
  return Embedding(std::move(values));
}

float CosineScore(std::span<const float> a, std::span<const float> b) {
  FACEGATE_CHECK(a.size() == b.size());
  double sum = 0.0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  return static_cast<float>(sum);
}

double DistanceOfCosine(double cosine) { return std::sqrt(std::max(0.0, 2.0 - 2.0 * cosine)); }

}  // namespace facegate
