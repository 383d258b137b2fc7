#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/onnx/graph_constant.h"
#include "face/onnx/onnx_model.h"

// The operators that give the numbers of constants another shape, order or number, as exporters
// compute shapes and paddings with them. Each computes what ONNX says of its operator; its errors
// are DoesNotFit(), and those of ConstantOf() where the node holds a tensor.
namespace facegate {

// kInvalidArgument: the constants of a node are not such as its operator takes.
Status DoesNotFit(const OnnxNode& node);

// These are for nodes whose first input is there.
StatusOr<GraphConstant> Reshaped(const OnnxNode& node, ConstantInputs inputs);
StatusOr<GraphConstant> Squeezed(const OnnxNode& node, ConstantInputs inputs);
StatusOr<GraphConstant> Unsqueezed(const OnnxNode& node, ConstantInputs inputs);
StatusOr<GraphConstant> Transposed(const OnnxNode& node, const GraphConstant& from);
StatusOr<GraphConstant> Joined(const OnnxNode& node, ConstantInputs inputs);
StatusOr<GraphConstant> Gathered(const OnnxNode& node, ConstantInputs inputs);
StatusOr<GraphConstant> Sliced(const OnnxNode& node, ConstantInputs inputs);
StatusOr<GraphConstant> Filled(const OnnxNode& node, const GraphConstant& shape);
GraphConstant ShapeOf(const OnnxNode& node, const GraphConstant& value);

// Axes of a value of that rank in order, counted from its first: those below 0 count from its end.
// Nothing where it has no such axis, and where one stands twice.
std::optional<std::vector<int64_t>> AxesFromZero(std::span<const int64_t> axes, size_t rank);

// The place in a list of `count` that the bound of a slice means: those below 0 count from its end.
int64_t SliceBound(int64_t bound, int64_t count);

// The shape that a Reshape to `wanted` gives a value of `shape`: 0 keeps an extent, one -1 is what
// is left. Nothing where the numbers do not fit.
std::optional<std::vector<int64_t>> ReshapedTo(std::span<const int64_t> shape,
                                               std::span<const int64_t> wanted);

}  // namespace facegate
