#pragma once

#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include "face/base/check.h"
#include "face/base/embedding.h"

namespace facegate {

inline std::vector<float> RandomDirection(std::mt19937_64& random, size_t size) {
  std::normal_distribution<float> normal;
  std::vector<float> values(size);
  for (float& value : values) value = normal(random);
  return values;
}

inline Embedding UnitOf(std::span<const float> values) {
  StatusOr<Embedding> embedding = Embedding::Normalize(values);
  FACEGATE_CHECK(embedding.ok());
  return *std::move(embedding);
}

inline std::vector<float> ValuesOf(const Embedding& embedding) {
  return {embedding.values().begin(), embedding.values().end()};
}

// Uniform on the unit sphere.
inline Embedding RandomEmbedding(std::mt19937_64& random, size_t size) {
  return UnitOf(RandomDirection(random, size));
}

// Near `centre`: at a cosine of about 1 / sqrt(1 + spread^2).
inline Embedding RandomEmbeddingNear(std::mt19937_64& random, const Embedding& centre,
                                     float spread) {
  std::vector<float> values = RandomDirection(random, centre.size());
  const float scale = spread / std::sqrt(static_cast<float>(centre.size()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = values[i] * scale + centre.values()[i];
  return UnitOf(values);
}

}  // namespace facegate
