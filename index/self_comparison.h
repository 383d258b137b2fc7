#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/gallery.h"

namespace facegate {

// The unit vectors of an identity's templates, one after the other.
struct IdentityVectors {
  std::vector<float> values;
};

// Templates of one identity that are looked at, at most.
inline constexpr size_t kComparedTemplates = 8;

// How many of the identities that have `templates` templates each, in this order, are compared
// within `most_comparisons` of two templates.
size_t IdentitiesWithin(std::span<const size_t> templates, uint64_t most_comparisons);

// A number that orders identities as a draw would: the same for a seed, and without relation to
// their ids or to when they were enrolled.
uint64_t DrawOf(uint64_t identity, uint64_t seed);

// Compares each template with each identity, and those of one identity with each other.
// `dimension` is the length of a vector.
Status CompareAll(std::span<const IdentityVectors> identities, size_t dimension, ScoreSink& sink,
                  const StopCheck& stop);

}  // namespace facegate
