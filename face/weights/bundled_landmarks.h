#pragma once

#include "face/base/status.h"
#include "face/weights/network_weights.h"

namespace facegate {

// The landmark network that comes with the source, deploy/models/landmarks.safetensors, which is
// built into the program. It fails only where that file was replaced by something else.
StatusOr<LandmarkWeights> BundledLandmarkWeights();

}  // namespace facegate
