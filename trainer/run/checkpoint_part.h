#pragma once

#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/weights/safetensors.h"
#include "face/weights/weights.h"

namespace facegate {

// The parts of a checkpoint of fit (trainer/FORMAT.md): "backbone", "average", "head", "margin",
// "optimizer".
const std::vector<std::string>& CheckpointPartNames();

// Says whether a safetensors file is a checkpoint of fit.
bool HoldsTraining(const Safetensors& file);

// Moves the tensors of a part out of a checkpoint's `state`; their names lose the part's, so that
// those of "backbone" are the state dict of the network. kInvalidArgument where it has none, naming
// the parts that it has.
StatusOr<TensorMap> TakePart(TensorMap& state, const std::string& part);

}  // namespace facegate
