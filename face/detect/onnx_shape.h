#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// Returns the ONNX model `model` with the shape of its first input replaced by `dimensions`. OpenCV
// 4.6 refuses a network whose input has named (dynamic) dimensions, although it runs the same
// network at any size once it has been read with some fixed ones. Everything else keeps its bytes,
// in another order of fields. kInvalidArgument when the bytes are no such model.
StatusOr<std::string> WithInputShape(std::string_view model, std::span<const uint32_t> dimensions);

}  // namespace facegate
