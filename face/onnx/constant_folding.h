#pragma once

#include "face/base/status.h"
#include "face/onnx/graph_constant.h"
#include "face/onnx/onnx_model.h"

namespace facegate {

// Computes a node whose inputs are constants: Constant, Identity, Cast, Reshape, Squeeze,
// Unsqueeze, Transpose, Concat of lists of whole numbers, Gather from a list, Slice,
// ConstantOfShape, Shape, Neg, Add, Sub, Mul and Div. kInvalidArgument, naming the operator, for
// another one and where the inputs do not fit it, or whole numbers overflow. What it gives has no
// more numbers than the largest of its inputs, or 65,536.
StatusOr<GraphConstant> FoldNode(const OnnxNode& node, ConstantInputs inputs);

}  // namespace facegate
