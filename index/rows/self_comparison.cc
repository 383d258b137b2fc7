#include "index/rows/self_comparison.h"

#include <algorithm>
#include <cmath>

#include "face/base/embedding.h"

namespace facegate {
namespace {

class Comparison {
 public:
  Comparison(std::span<const IdentityVectors> identities, size_t dimension, ScoreSink& sink)
      : identities_(identities), dimension_(dimension), sink_(sink), scores_(identities.size()) {}

  // Returns how many templates identity `one` has.
  size_t CountOf(size_t one) const { return identities_[one].values.size() / dimension_; }

  // Template `number` of `one` with everybody, and with the earlier ones of its own.
  Status Compare(size_t one, size_t number) {
    const std::span<const float> vector = VectorOf(one, number);
    for (size_t other = 0; other < identities_.size(); ++other) {
      scores_[other] = CosineScore(vector, VectorOf(other, 0));
    }
    FACEGATE_RETURN_IF_ERROR(sink_.AddTemplate(one, scores_));
    for (size_t earlier = 0; earlier < number; ++earlier) {
      FACEGATE_RETURN_IF_ERROR(sink_.AddPair(one, CosineScore(vector, VectorOf(one, earlier))));
    }
    return OkStatus();
  }

 private:
  std::span<const float> VectorOf(size_t one, size_t number) const {
    return std::span(identities_[one].values).subspan(number * dimension_, dimension_);
  }

  const std::span<const IdentityVectors> identities_;
  const size_t dimension_;
  ScoreSink& sink_;
  std::vector<float> scores_;
};

}  // namespace

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t DrawOf(uint64_t identity, uint64_t seed) {
  uint64_t x = identity + (seed + 1) * 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

size_t IdentitiesWithin(uint64_t comparisons) {
  return static_cast<size_t>(std::sqrt(static_cast<double>(comparisons)));
}

Status CompareAll(std::span<const IdentityVectors> identities, size_t dimension, size_t left_out,
                  uint64_t most_comparisons, ScoreSink& sink, const StopCheck& stop) {
  Comparison comparison(identities, dimension, sink);
  size_t templates = 0;
  for (size_t one = 0; one < identities.size(); ++one) templates += comparison.CountOf(one);
  const size_t most =
      identities.empty() ? 0 : static_cast<size_t>(most_comparisons / identities.size());
  size_t left = std::min(templates, std::max(most, identities.size()));
  FACEGATE_RETURN_IF_ERROR(sink.Begin(identities.size(), left, left_out));
  for (size_t number = 0; number < kComparedTemplates; ++number) {
    for (size_t one = 0; one < identities.size() && left > 0; ++one) {
      if (number >= comparison.CountOf(one)) continue;
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      FACEGATE_RETURN_IF_ERROR(comparison.Compare(one, number));
      left -= 1;
    }
  }
  return OkStatus();
}

}  // namespace facegate
