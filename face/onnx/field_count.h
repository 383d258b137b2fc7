#pragma once

#include <string_view>

#include "face/base/status.h"

namespace facegate {

// An ONNX file whose messages have more fields together is refused: an empty message takes two
// bytes of a file and more than a hundred in memory. A network of a thousand layers has some
// 50,000.
inline constexpr size_t kMaxOnnxFields = 1 << 20;

// Counts the fields of a ModelProto and of the messages in it that are read (protos/onnx), before
// any is allocated; the numbers of a packed field are not counted. kInvalidArgument where there are
// more than kMaxOnnxFields, and where the bytes are no such message, with the place of the fault.
Status CheckOnnxFields(std::string_view model);

}  // namespace facegate
