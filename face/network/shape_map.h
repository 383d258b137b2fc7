#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "face/network/description.h"
#include "face/weights/weights.h"

namespace facegate {

// Shapes of a state dict by name.
using ShapeMap = std::map<std::string, std::vector<int64_t>, std::less<>>;

// Names and shapes of the parameters and buffers of a network.
ShapeMap ShapesOf(const network::Description& description);

// Whether that is the name of a batch norm's counter, which does not enter the forward pass: files
// may lack it.
bool IsBatchCounter(std::string_view name);

// What sets `tensors` apart from a state dict of these names and shapes.
struct ShapeDifference {
  size_t count = 0;                // tensors that are missing, unexpected or of another shape
  std::vector<std::string> first;  // the first few, each in words
};
// Batch counters may be missing.
ShapeDifference CompareShapes(const ShapeMap& expected, const TensorMap& tensors);

}  // namespace facegate
