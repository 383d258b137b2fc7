#pragma once

#include <cstdint>
#include <vector>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "face/image/align.h"
#include "face/weights/model_card.h"

namespace facegate {

// Deterministic crops of coloured gradients and noise, made with integers alone: equal on every
// machine.
std::vector<AlignedFace> CanaryFaces(uint64_t seed, int count, AlignmentTemplate alignment);

// Embeds CanaryFaces(seed, count) and records the result.
StatusOr<Canary> RecordCanary(Embedder& embedder, uint64_t seed, int count);

// OK when each embedding has a cosine of at least 1 - tolerance with the recorded one;
// kFailedPrecondition otherwise, with the worst cosine.
Status CheckCanary(Embedder& embedder, const Canary& canary, double tolerance);
// The same with the card's own; OK when the card has none.
Status CheckCanary(Embedder& embedder, double tolerance = 1e-3);

}  // namespace facegate
