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

// Makes a state dict one that graphs can hold, and notes in `metadata` how to get it back. The
// counters of batch norms, which no operator takes, move there ("facegate_batch_counters": a JSON
// object of numbers by name). Tensors of F16, which not every runtime reads, become F32
// ("facegate_float16": a JSON array of names), unless `keep_half`.
void FitTensors(bool keep_half, TensorMap& tensors, std::map<std::string, std::string>& metadata);

// Takes a state dict out of a model, with the model's other metadata: the tensors that
// MakeNetworkGraph() was given, or the initializers of another exporter under its names. Numbers
// for each channel, such as the slopes of PReLUs, lose the extents of 1 that ONNX wants them to
// have. kInvalidArgument where the
// metadata are not as above, or not those of the tensors.
StatusOr<Safetensors> TakeStateDict(OnnxModel model);

}  // namespace facegate
