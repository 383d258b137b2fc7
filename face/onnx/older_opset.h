#pragma once

#include "face/onnx/onnx_model.h"

namespace facegate {

// Writes a graph of opset 13 in operators of opset 10 where it limits numbers (Clip) and all of its
// operators have such a form: limits, paddings and axes are attributes there, and no inputs.
// OpenCV 4.6 reads a Clip in that form alone. Other graphs stay as they are.
void WriteClipsForOpenCv(OnnxModel& model);

}  // namespace facegate
