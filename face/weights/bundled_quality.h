#pragma once

#include "face/base/status.h"
#include "face/weights/network_weights.h"

namespace facegate {

// The quality network that comes with the source, deploy/models/quality.safetensors, which is built
// into the program. It fails only where that file was replaced by something else.
StatusOr<QualityWeights> BundledQualityWeights();

}  // namespace facegate
