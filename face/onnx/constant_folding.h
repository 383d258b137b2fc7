#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/onnx/onnx_model.h"
#include "face/weights/weights.h"

namespace facegate {

// A constant of a graph that is followed, in C order: fractions (F16, F32 and F64 become F32), or
// whole numbers (I32 and I64), which are shapes and axes.
struct GraphConstant {
  std::vector<int64_t> shape{};
  bool whole = false;
  std::vector<float> reals{};     // where it is not whole
  std::vector<int64_t> wholes{};  // where it is

  size_t size() const { return whole ? wholes.size() : reals.size(); }
};

// Takes a tensor's numbers. kInvalidArgument for another type.
StatusOr<GraphConstant> ConstantOf(const Tensor& tensor);

// Computes a node whose inputs are constants: Constant, Identity, Cast, Reshape, Squeeze,
// Unsqueeze, Transpose, Concat and Gather of the first axis, Slice, ConstantOfShape, Shape, Neg,
// Add, Sub, Mul and Div. An input that is left out is null. kInvalidArgument, naming the operator,
// for another one and where the inputs do not fit it, or numbers overflow. What it gives has no
// more numbers than the largest of its inputs, or 65,536.
StatusOr<GraphConstant> FoldNode(const OnnxNode& node,
                                 std::span<const GraphConstant* const> inputs);

// The value of an attribute; nothing where it is absent or of another type.
std::optional<int64_t> IntegerOf(const OnnxNode& node, const char* name);
std::optional<std::vector<int64_t>> IntegersOf(const OnnxNode& node, const char* name);
std::optional<float> RealOf(const OnnxNode& node, const char* name);
std::optional<std::string> TextOf(const OnnxNode& node, const char* name);

// What a Cast gives: fractions of any size, or whole numbers of 32 or 64 bits.
bool CastsToReal(const OnnxNode& node);
bool CastsToWhole(const OnnxNode& node);

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
