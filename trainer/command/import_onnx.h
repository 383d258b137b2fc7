#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/network/backbone_file.h"
#include "face/onnx/onnx_model.h"
#include "face/weights/safetensors.h"

namespace facegate {

// An ONNX file as import takes it: weights by name, and what its graph does with them.
struct OnnxWeights {
  Safetensors file;   // of TakeStateDict()
  std::string first;  // the operator that takes the graph's input
};

// Reads the bytes of the file at `path`, whose folder may hold data of it.
StatusOr<OnnxWeights> ReadOnnxWeights(std::string_view bytes, const std::string& path);

// The same of a model that is there already.
StatusOr<OnnxWeights> WeightsOf(OnnxModel model);

// The backbone of an ONNX file.
struct OnnxBackbone {
  FoundBackbone found;
  std::optional<double> largest_pixel{};  // see GraphNetwork
};

// Takes the backbone out of a file without a card. Where its initializers carry the names of a
// known network, and its graph computes the same operations in the same order with the same
// numbers, it is that; else what DescribeGraph() makes of the graph. `bytes` are the file's.
// kInvalidArgument for a graph that could not be followed, unless an architecture is asked for and
// the tensors are called as that one's; and where an architecture is asked for that it is not.
StatusOr<OnnxBackbone> TakeOnnxBackbone(OnnxWeights weights, std::string_view bytes,
                                        const std::string& path, const BackboneWish& wish);

// The same of the model that these weights are of.
StatusOr<OnnxBackbone> TakeOnnxBackbone(OnnxWeights weights, OnnxModel model,
                                        const BackboneWish& wish);

}  // namespace facegate
