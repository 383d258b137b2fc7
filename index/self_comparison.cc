#include "index/self_comparison.h"

#include <algorithm>

#include "face/base/embedding.h"

namespace facegate {
namespace {

size_t CountOf(const IdentityVectors& identity, size_t dimension) {
  return identity.values.size() / dimension;
}

std::span<const float> VectorOf(const IdentityVectors& identity, size_t dimension, size_t i) {
  return std::span(identity.values).subspan(i * dimension, dimension);
}

float BestScore(std::span<const float> vector, const IdentityVectors& identity) {
  float best = -1.0f;
  for (size_t i = 0; i < CountOf(identity, vector.size()); ++i) {
    best = std::max(best, CosineScore(vector, VectorOf(identity, vector.size(), i)));
  }
  return best;
}

Status AddPairs(const IdentityVectors& identity, size_t dimension, size_t number, ScoreSink& sink) {
  const size_t count = CountOf(identity, dimension);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = i + 1; j < count; ++j) {
      FACEGATE_RETURN_IF_ERROR(sink.AddPair(
          number, CosineScore(VectorOf(identity, dimension, i), VectorOf(identity, dimension, j))));
    }
  }
  return OkStatus();
}

}  // namespace

size_t IdentitiesWithin(std::span<const size_t> templates, uint64_t most_comparisons) {
  uint64_t total = 0;
  size_t identities = 0;
  for (const size_t count : templates) {
    total += count;
    if (total * total > most_comparisons) break;
    ++identities;
  }
  return identities;
}

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t DrawOf(uint64_t identity, uint64_t seed) {
  uint64_t x = identity + (seed + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

Status CompareAll(std::span<const IdentityVectors> identities, size_t dimension, ScoreSink& sink,
                  const StopCheck& stop) {
  size_t templates = 0;
  for (const IdentityVectors& identity : identities) templates += CountOf(identity, dimension);
  FACEGATE_RETURN_IF_ERROR(sink.Begin(identities.size(), templates));
  std::vector<float> scores(identities.size());
  for (size_t one = 0; one < identities.size(); ++one) {
    for (size_t i = 0; i < CountOf(identities[one], dimension); ++i) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      const std::span<const float> vector = VectorOf(identities[one], dimension, i);
      std::transform(identities.begin(), identities.end(), scores.begin(),
                     [&](const IdentityVectors& identity) { return BestScore(vector, identity); });
      FACEGATE_RETURN_IF_ERROR(sink.AddTemplate(one, scores));
    }
    FACEGATE_RETURN_IF_ERROR(AddPairs(identities[one], dimension, one, sink));
  }
  return OkStatus();
}

}  // namespace facegate
