#pragma once

#include <torch/types.h>

#include <optional>

#include "face/torch/backbone_layers.h"

namespace facegate {

// Runs layers without keeping what is between them: the way back gets it by running them again,
// from the same input, with the same random numbers and in the same precision. Gradients are the
// same to the bit (where outputs within the network are maps for a teacher: up to the order of a
// sum), and what a pass changes beside its result, running statistics, changes once.
// `type` is what they compute in, as AutocastScope has it. Where nothing is differentiated by it,
// the layers are run as they are.
SegmentRun RecomputeSegments(std::optional<torch::ScalarType> type);

}  // namespace facegate
