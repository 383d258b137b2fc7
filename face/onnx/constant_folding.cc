#include "face/onnx/constant_folding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "face/onnx/half_tensor.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

using Inputs = std::span<const GraphConstant* const>;

constexpr size_t kMaxRank = 8;

template <typename T>
std::vector<T> ElementsOf(const Tensor& tensor) {
  std::vector<T> elements(tensor.bytes.size() / sizeof(T));
  std::memcpy(elements.data(), tensor.bytes.data(), elements.size() * sizeof(T));
  return elements;
}

template <typename From>
GraphConstant Reals(const Tensor& tensor) {
  const std::vector<From> elements = ElementsOf<From>(tensor);
  GraphConstant constant{.shape = tensor.shape};
  constant.reals.reserve(elements.size());
  for (const From one : elements) constant.reals.push_back(static_cast<float>(one));
  return constant;
}

template <typename From>
GraphConstant Wholes(const Tensor& tensor) {
  const std::vector<From> elements = ElementsOf<From>(tensor);
  return {.shape = tensor.shape, .whole = true, .wholes = {elements.begin(), elements.end()}};
}

Status DoesNotFit(const OnnxNode& node) {
  return InvalidArgument(
      fmt::format("operator {} (node {}) does not fit its constants", node.op, Quote(node.name)));
}

// Puts the elements that `places` names into an order, whatever their type is.
GraphConstant Picked(const GraphConstant& from, std::vector<int64_t> shape,
                     std::span<const size_t> places) {
  GraphConstant to{.shape = std::move(shape), .whole = from.whole};
  for (const size_t place : places) {
    if (from.whole) {
      to.wholes.push_back(from.wholes[place]);
    } else {
      to.reals.push_back(from.reals[place]);
    }
  }
  return to;
}

StatusOr<GraphConstant> WithShape(const OnnxNode& node, GraphConstant constant,
                                  std::vector<int64_t> shape) {
  if (ElementCount(shape) != static_cast<int64_t>(constant.size())) return DoesNotFit(node);
  constant.shape = std::move(shape);
  return constant;
}

// Axes are an attribute, or from opset 13 on an input.
std::optional<std::vector<int64_t>> AxesOf(const OnnxNode& node, Inputs inputs) {
  if (inputs.size() > 1 && inputs[1] != nullptr && inputs[1]->whole) return inputs[1]->wholes;
  return IntegersOf(node, "axes");
}

StatusOr<GraphConstant> Squeezed(const OnnxNode& node, Inputs inputs) {
  const GraphConstant& from = *inputs[0];
  const auto rank = static_cast<int64_t>(from.shape.size());
  const auto axes = AxesOf(node, inputs);
  std::vector<int64_t> shape;
  for (int64_t axis = 0; axis < rank; ++axis) {
    const int64_t extent = from.shape[static_cast<size_t>(axis)];
    const bool named = axes.has_value() &&
                       std::any_of(axes->begin(), axes->end(),
                                   [&](int64_t one) { return one == axis || one + rank == axis; });
    if (!(axes.has_value() ? named : extent == 1)) shape.push_back(extent);
  }
  return WithShape(node, from, std::move(shape));
}

StatusOr<GraphConstant> Unsqueezed(const OnnxNode& node, Inputs inputs) {
  const GraphConstant& from = *inputs[0];
  const auto axes = AxesOf(node, inputs);
  if (!axes.has_value() || from.shape.size() + axes->size() > kMaxRank) return DoesNotFit(node);
  const auto rank = static_cast<int64_t>(from.shape.size() + axes->size());
  std::vector<int64_t> sorted;
  for (const int64_t axis : *axes) sorted.push_back(axis < 0 ? axis + rank : axis);
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> shape = from.shape;
  for (const int64_t axis : sorted) {
    if (axis < 0 || axis > static_cast<int64_t>(shape.size())) return DoesNotFit(node);
    shape.insert(shape.begin() + axis, 1);
  }
  return WithShape(node, from, std::move(shape));
}

StatusOr<GraphConstant> Transposed(const OnnxNode& node, const GraphConstant& from) {
  const size_t rank = from.shape.size();
  std::vector<int64_t> order(rank);
  for (size_t i = 0; i < rank; ++i) order[i] = static_cast<int64_t>(rank - 1 - i);
  order = IntegersOf(node, "perm").value_or(order);
  std::vector<int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int64_t>(i)) return DoesNotFit(node);
  }
  if (order.size() != rank) return DoesNotFit(node);
  std::vector<size_t> strides(rank, 1);
  for (size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * static_cast<size_t>(from.shape[i]);
  std::vector<int64_t> shape(rank);
  for (size_t i = 0; i < rank; ++i) shape[i] = from.shape[static_cast<size_t>(order[i])];
  std::vector<size_t> places(from.size());
  std::vector<int64_t> at(rank, 0);
  for (size_t& place : places) {
    for (size_t i = 0; i < rank; ++i) {
      place += static_cast<size_t>(at[i]) * strides[static_cast<size_t>(order[i])];
    }
    for (size_t i = rank; i-- > 0;) {
      if (++at[i] < shape[i]) break;
      at[i] = 0;
    }
  }
  return Picked(from, std::move(shape), places);
}

// Lists of whole numbers, as shapes are put together of them.
StatusOr<GraphConstant> Joined(const OnnxNode& node, Inputs inputs) {
  GraphConstant all{.shape = {0}, .whole = true};
  for (const GraphConstant* input : inputs) {
    if (input == nullptr || !input->whole || input->shape.size() > 1) return DoesNotFit(node);
    all.wholes.insert(all.wholes.end(), input->wholes.begin(), input->wholes.end());
  }
  all.shape = {static_cast<int64_t>(all.wholes.size())};
  return all;
}

StatusOr<GraphConstant> Gathered(const OnnxNode& node, Inputs inputs) {
  if (inputs.size() < 2 || inputs[1] == nullptr || !inputs[1]->whole ||
      inputs[0]->shape.size() != 1 || IntegerOf(node, "axis").value_or(0) != 0) {
    return DoesNotFit(node);
  }
  const auto count = static_cast<int64_t>(inputs[0]->size());
  std::vector<size_t> places;
  for (const int64_t index : inputs[1]->wholes) {
    const int64_t place = index < 0 ? index + count : index;
    if (place < 0 || place >= count) return DoesNotFit(node);
    places.push_back(static_cast<size_t>(place));
  }
  return Picked(*inputs[0], inputs[1]->shape, places);
}

StatusOr<GraphConstant> Sliced(const OnnxNode& node, Inputs inputs) {
  const auto numbers = [&](size_t input, const char* name) -> std::optional<int64_t> {
    if (inputs.size() > input && inputs[input] != nullptr) {
      return inputs[input]->wholes.size() == 1 ? std::optional(inputs[input]->wholes[0])
                                               : std::nullopt;
    }
    const auto list = IntegersOf(node, name);
    return list.has_value() && list->size() == 1 ? std::optional(list->front()) : std::nullopt;
  };
  const auto begin = numbers(1, "starts");
  const auto end = numbers(2, "ends");
  const auto count = static_cast<int64_t>(inputs[0]->size());
  if (!begin || !end || inputs[0]->shape.size() != 1 || numbers(3, "axes").value_or(0) != 0 ||
      numbers(4, "steps").value_or(1) != 1) {
    return DoesNotFit(node);
  }
  const auto clamped = [count](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + count : at, 0, count);
  };
  std::vector<size_t> places;
  for (int64_t at = clamped(*begin); at < clamped(*end); ++at) {
    places.push_back(static_cast<size_t>(at));
  }
  const auto length = static_cast<int64_t>(places.size());
  return Picked(*inputs[0], {length}, places);
}

template <typename T>
StatusOr<std::vector<T>> Calculated(const OnnxNode& node, const std::vector<T>& a,
                                    const std::vector<T>& b) {
  std::vector<T> result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const T x = a.size() == 1 ? a[0] : a[i];
    const T y = b.size() == 1 ? b[0] : b[i];
    if (node.op == "Div" && y == T{}) return DoesNotFit(node);
    result[i] = static_cast<T>(node.op == "Add"   ? x + y
                               : node.op == "Sub" ? x - y
                               : node.op == "Mul" ? x * y
                                                  : x / y);
  }
  return result;
}

StatusOr<GraphConstant> Arithmetic(const OnnxNode& node, Inputs inputs) {
  if (inputs.size() != 2 || inputs[1] == nullptr || inputs[0]->whole != inputs[1]->whole) {
    return DoesNotFit(node);
  }
  const GraphConstant& a = *inputs[0];
  const GraphConstant& b = *inputs[1];
  if (a.size() != 1 && b.size() != 1 && a.shape != b.shape) return DoesNotFit(node);
  GraphConstant result{.shape = a.size() >= b.size() ? a.shape : b.shape, .whole = a.whole};
  if (a.whole) {
    FACEGATE_ASSIGN_OR_RETURN(result.wholes, Calculated(node, a.wholes, b.wholes));
  } else {
    FACEGATE_ASSIGN_OR_RETURN(result.reals, Calculated(node, a.reals, b.reals));
  }
  return result;
}

template <typename T>
std::optional<T> AttributeOf(const OnnxNode& node, const char* name) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return std::nullopt;
  const auto* const value = std::get_if<T>(&found->second);
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

}  // namespace

std::optional<int64_t> IntegerOf(const OnnxNode& node, const char* name) {
  return AttributeOf<int64_t>(node, name);
}
std::optional<std::vector<int64_t>> IntegersOf(const OnnxNode& node, const char* name) {
  return AttributeOf<std::vector<int64_t>>(node, name);
}
std::optional<float> RealOf(const OnnxNode& node, const char* name) {
  return AttributeOf<float>(node, name);
}
std::optional<std::string> TextOf(const OnnxNode& node, const char* name) {
  return AttributeOf<std::string>(node, name);
}

std::optional<std::vector<int64_t>> ReshapedTo(std::span<const int64_t> shape,
                                               std::span<const int64_t> wanted) {
  if (wanted.size() > kMaxRank) return std::nullopt;
  std::vector<int64_t> result(wanted.begin(), wanted.end());
  int64_t known = 1;
  std::optional<size_t> open;
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i] == 0 && i < shape.size()) result[i] = shape[i];
    if (result[i] == -1 && !open.has_value()) {
      open = i;
    } else if (result[i] < 1 || result[i] > (int64_t{1} << 40) / known) {
      return std::nullopt;
    } else {
      known *= result[i];
    }
  }
  const std::optional<int64_t> count = ElementCount(shape);
  if (!count.has_value()) return std::nullopt;
  if (open.has_value()) result[*open] = *count / known;
  return ElementCount(result) == count ? std::optional(result) : std::nullopt;
}

StatusOr<GraphConstant> ConstantOf(const Tensor& tensor) {
  switch (tensor.dtype) {
    case DType::kF32:
      return Reals<float>(tensor);
    case DType::kF64:
      return Reals<double>(tensor);
    case DType::kF16:
      return Reals<float>(WidenHalf(tensor));
    case DType::kI64:
      return Wholes<int64_t>(tensor);
    case DType::kI32:
      return Wholes<int32_t>(tensor);
    default:
      return InvalidArgument(
          fmt::format("a constant is of type {}, which is not read", DTypeName(tensor.dtype)));
  }
}

StatusOr<GraphConstant> FoldNode(const OnnxNode& node, Inputs inputs) {
  if (node.op == "Constant") {
    if (const auto tensor = AttributeOf<Tensor>(node, "value")) return ConstantOf(*tensor);
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
  if (inputs.empty() || inputs[0] == nullptr) return DoesNotFit(node);
  const GraphConstant& first = *inputs[0];
  if (node.op == "Identity" || node.op == "Cast") return first;
  if (node.op == "Reshape") {
    if (inputs.size() < 2 || inputs[1] == nullptr || !inputs[1]->whole) return DoesNotFit(node);
    auto shape = ReshapedTo(first.shape, inputs[1]->wholes);
    return shape.has_value() ? WithShape(node, first, *std::move(shape)) : DoesNotFit(node);
  }
  if (node.op == "Squeeze") return Squeezed(node, inputs);
  if (node.op == "Unsqueeze") return Unsqueezed(node, inputs);
  if (node.op == "Transpose") return Transposed(node, first);
  if (node.op == "Concat") return Joined(node, inputs);
  if (node.op == "Gather") return Gathered(node, inputs);
  if (node.op == "Slice") return Sliced(node, inputs);
  if (node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div") {
    return Arithmetic(node, inputs);
  }
  return InvalidArgument(fmt::format("operator {} (node {}) of constants is not computed here",
                                     node.op, Quote(node.name)));
}

}  // namespace facegate
