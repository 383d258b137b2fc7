#pragma once

#include <span>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// A unit-length face embedding in fp32. Immutable; copies share nothing. Personal data: never
// logged.
class Embedding {
 public:
  Embedding() = default;

  // Divides by the L2 norm (computed in double). kEmbeddingInvalid when `values` is empty, not
  // finite, or has a norm below 1e-12.
  static StatusOr<Embedding> Normalize(std::span<const float> values);
  // Takes the bits as they are: for values that Normalize() made and that were stored since.
  // kEmbeddingInvalid when the norm is further than 1e-3 from 1 or a value is not finite.
  static StatusOr<Embedding> FromUnit(std::vector<float> values);

  std::span<const float> values() const { return values_; }
  size_t size() const { return values_.size(); }
  bool operator==(const Embedding&) const = default;

 private:
  explicit Embedding(std::vector<float> values) : values_(std::move(values)) {}

  std::vector<float> values_;
};

// The score of two unit vectors of equal size: the dot product accumulated in double in index order
// and rounded once to fp32. The only function for cosines that leave the project, so every path
// gives the same bits.
float CosineScore(std::span<const float> a, std::span<const float> b);

// The L2 distance of two unit vectors at that cosine: sqrt(2 - 2 cosine), 0 where rounding made
// cosine exceed 1.
double DistanceOfCosine(double cosine);

}  // namespace facegate
