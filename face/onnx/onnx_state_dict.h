#pragma once

#include <map>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/onnx/onnx_model.h"
#include "face/weights/safetensors.h"
#include "face/weights/weights.h"

namespace facegate {

// Initializers whose names begin so belong to the graph, not to the network.
inline constexpr std::string_view kGraphPrefix = "facegate.";

// Moves the counters of batch norms, which no operator takes, out of `tensors` into metadata: a
// JSON object of numbers by name under the key "facegate_batch_counters".
void MoveCounters(TensorMap& tensors, std::map<std::string, std::string>& metadata);

// Takes a state dict out of a model, with the model's other metadata: the tensors that
// MakeNetworkGraph() was given, or the initializers of another exporter under its names. The slopes
// of PReLUs lose the extents of 1 that ONNX wants them to have. kInvalidArgument where the counters
// are no such object.
StatusOr<Safetensors> TakeStateDict(OnnxModel model);

}  // namespace facegate
