#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/network/backbone_file.h"
#include "face/weights/safetensors.h"

namespace facegate {

// An ONNX file as import takes it: weights by name, and what its graph does with them.
struct OnnxWeights {
  Safetensors file;       // of TakeStateDict()
  std::string operators;  // "Add, BatchNormalization, Conv"
  std::string first;      // the operator that takes the graph's input
};

// Reads the bytes of the file at `path`, whose folder may hold data of it.
StatusOr<OnnxWeights> ReadOnnxWeights(std::string_view bytes, const std::string& path);

// Takes the backbone out of a file without a card, where its initializers carry the names of a
// known architecture. kInvalidArgument otherwise, with the operators that the graph has; and where
// the graph does something with its input before the first convolution, which would be lost.
StatusOr<FoundBackbone> TakeOnnxBackbone(OnnxWeights weights, const BackboneWish& wish);

}  // namespace facegate
