#include "face/onnx/constant_folding.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "face/onnx/constant_layout.h"
#include "face/onnx/node_attributes.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

StatusOr<GraphConstant> Negated(const OnnxNode& node, GraphConstant value) {
  for (float& real : value.reals) real = -real;
  for (int64_t& whole : value.wholes) {
    if (whole == std::numeric_limits<int64_t>::min()) return DoesNotFit(node);
    whole = -whole;
  }
  return value;
}

// Nothing where there is no such number.
std::optional<int64_t> Calculated(std::string_view op, int64_t x, int64_t y) {
  int64_t result = 0;
  if (op == "Add")
    return __builtin_add_overflow(x, y, &result) ? std::nullopt : std::optional(result);
  if (op == "Sub")
    return __builtin_sub_overflow(x, y, &result) ? std::nullopt : std::optional(result);
  if (op == "Mul")
    return __builtin_mul_overflow(x, y, &result) ? std::nullopt : std::optional(result);
  if (y == 0 || (y == -1 && x == std::numeric_limits<int64_t>::min())) return std::nullopt;
  return x / y;
}
std::optional<float> Calculated(std::string_view op, float x, float y) {
  if (op == "Add") return x + y;
  if (op == "Sub") return x - y;
  if (op == "Mul") return x * y;
  return y == 0.0F ? std::nullopt : std::optional(x / y);
}

template <typename T>
StatusOr<std::vector<T>> Calculated(const OnnxNode& node, const std::vector<T>& a,
                                    const std::vector<T>& b) {
  std::vector<T> result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const auto one = Calculated(node.op, a.size() == 1 ? a[0] : a[i], b.size() == 1 ? b[0] : b[i]);
    if (!one.has_value()) return DoesNotFit(node);
    result[i] = *one;
  }
  return result;
}

StatusOr<GraphConstant> Arithmetic(const OnnxNode& node, ConstantInputs inputs) {
  if (inputs.size() != 2 || inputs[1] == nullptr || inputs[0]->whole != inputs[1]->whole) {
    return DoesNotFit(node);
  }
  const GraphConstant& a = *inputs[0];
  const GraphConstant& b = *inputs[1];
  const bool fits = a.size() == 1 || b.size() == 1 || a.shape == b.shape;
  if (!fits || a.size() == 0 || b.size() == 0) return DoesNotFit(node);
  const bool first = a.size() == b.size() ? a.shape.size() >= b.shape.size() : a.size() > b.size();
  GraphConstant result{.shape = first ? a.shape : b.shape, .whole = a.whole};
  if (a.whole) {
    FACEGATE_ASSIGN_OR_RETURN(result.wholes, Calculated(node, a.wholes, b.wholes));
  } else {
    FACEGATE_ASSIGN_OR_RETURN(result.reals, Calculated(node, a.reals, b.reals));
  }
  return result;
}

// A Cast to a type of fractions, or to one of whole numbers, which cuts fractions off.
StatusOr<GraphConstant> Converted(const OnnxNode& node, const GraphConstant& from) {
  const bool to_whole = CastsToWhole(node);
  if (!to_whole && !CastsToReal(node)) return DoesNotFit(node);
  if (from.whole == to_whole) return from;
  GraphConstant to{.shape = from.shape, .whole = to_whole};
  to.reals.assign(from.wholes.begin(), from.wholes.end());
  constexpr float kBound = 0x1p63F;
  for (const float real : from.reals) {
    if (!(real >= -kBound && real < kBound)) return DoesNotFit(node);
    to.wholes.push_back(static_cast<int64_t>(real));
  }
  return to;
}

StatusOr<GraphConstant> ValueOf(const OnnxNode& node) {
  if (const auto tensor = TensorOf(node, "value")) return ConstantOf(*tensor);
  if (const auto real = RealOf(node, "value_float")) return GraphConstant{.reals = {*real}};
  if (const auto whole = IntegerOf(node, "value_int")) {
    return GraphConstant{.whole = true, .wholes = {*whole}};
  }
  if (const auto list = IntegersOf(node, "value_ints")) {
    return GraphConstant{
        .shape = {static_cast<int64_t>(list->size())}, .whole = true, .wholes = *list};
  }
  return DoesNotFit(node);
}

}  // namespace

StatusOr<GraphConstant> FoldNode(const OnnxNode& node, ConstantInputs inputs) {
  if (node.op == "Constant") return ValueOf(node);
  if (inputs.empty() || inputs[0] == nullptr) return DoesNotFit(node);
  const GraphConstant& first = *inputs[0];
  if (node.op == "Identity") return first;
  if (node.op == "Cast") return Converted(node, first);
  if (node.op == "Reshape") return Reshaped(node, inputs);
  if (node.op == "Squeeze") return Squeezed(node, inputs);
  if (node.op == "Unsqueeze") return Unsqueezed(node, inputs);
  if (node.op == "Transpose") return Transposed(node, first);
  if (node.op == "Concat") return Joined(node, inputs);
  if (node.op == "Gather") return Gathered(node, inputs);
  if (node.op == "Slice") return Sliced(node, inputs);
  if (node.op == "ConstantOfShape") return Filled(node, first);
  if (node.op == "Neg") return Negated(node, first);
  if (node.op == "Shape") return ShapeOf(node, first);
  if (node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div") {
    return Arithmetic(node, inputs);
  }
  return InvalidArgument(fmt::format("operator {} (node {}) of constants is not computed here",
                                     node.op, Quote(node.name)));
}

}  // namespace facegate
