#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "face/base/status.h"

namespace facegate {

// Chooses the identities of a collection that are compared with each other, and how.
struct SelfComparison {
  uint64_t most_comparisons = 0;  // of two templates
  uint64_t seed = 0;              // of the draw, where there are more
  // Templates whose quality is known and below this take no part, 0..1.
  double least_quality = 0.0;
};

// Takes the scores that the identities of a collection have with each other. An identity is a
// number below `identities`, which says nothing about who it is. What a call says instead of OK
// ends the comparison.
class ScoreSink {
 public:
  virtual ~ScoreSink() = default;
  // Comes first: how many identities are compared, and how many of their templates; how many of
  // those that were looked at are below the quality.
  virtual Status Begin(size_t identities, size_t templates, size_t left_out) = 0;
  // A template of `identity`: its score with the first template of each identity; the one at
  // `identity` itself is not to be used.
  virtual Status AddTemplate(size_t identity, std::span<const float> scores) = 0;
  // Two templates of one identity.
  virtual Status AddPair(size_t identity, float score) = 0;
};

}  // namespace facegate
