#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/score_sink.h"

namespace facegate {

// Templates of an identity, one unit vector after the other; one at least. The first one stands for
// the identity.
struct IdentityVectors {
  std::vector<float> values;
};

// Templates of one identity that are looked at, at most.
inline constexpr size_t kComparedTemplates = 8;

// A number that orders identities as a draw would: the same for a seed, and without relation to
// their ids or to when they were enrolled.
uint64_t DrawOf(uint64_t identity, uint64_t seed);

// Returns how many identities can be compared with each other, a template each, within
// `comparisons`.
size_t IdentitiesWithin(uint64_t comparisons);

// Compares templates with the first one of each identity, and with the others of their own: the
// first ones, and then as many more as `most_comparisons` allow. `dimension` is the length of a
// vector. The rest as in Gallery::CompareIdentities().
Status CompareAll(std::span<const IdentityVectors> identities, size_t dimension, size_t left_out,
                  uint64_t most_comparisons, ScoreSink& sink, const StopCheck& stop);

}  // namespace facegate
