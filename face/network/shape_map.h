#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

namespace facegate {

// A ShapeMap has the shapes of a state dict by name.
using ShapeMap = std::map<std::string, std::vector<int64_t>, std::less<>>;

// Gives the names and shapes of the parameters and buffers of a network.
ShapeMap ShapesOf(const network::Description& description);

// Says whether a batch norm's counter has that name. It does not enter the forward pass: files may
// lack it.
bool IsBatchCounter(std::string_view name);

// A difference says what sets tensors apart from a state dict of certain names and shapes.
struct ShapeDifference {
  size_t count = 0;                // tensors that are missing, unexpected or of another shape
  std::vector<std::string> first;  // the first few, each in words
};
// Compares them; batch counters may be missing.
ShapeDifference CompareShapes(const ShapeMap& expected, const TensorMap& tensors);
// kInvalidArgument, naming the first few, where they differ.
Status CheckShapes(const ShapeMap& expected, const TensorMap& tensors);

}  // namespace facegate
