#include "face/onnx/constant_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "face/onnx/node_attributes.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr size_t kMaxList = 1 << 16;  // numbers that are joined to one list

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
StatusOr<std::optional<std::vector<int64_t>>> AxesOf(const OnnxNode& node, ConstantInputs inputs) {
  if (inputs.size() < 2 || inputs[1] == nullptr) return IntegersOf(node, "axes");
  if (!inputs[1]->whole) return DoesNotFit(node);
  return std::optional(inputs[1]->wholes);
}

// The places of an extent that a slice takes, in its order.
std::vector<int64_t> SlicePlaces(int64_t begin, int64_t end, int64_t step, int64_t extent) {
  std::vector<int64_t> places;
  if (step > 0) {
    const int64_t last = SliceBound(end, extent);
    for (int64_t at = SliceBound(begin, extent); at < last; at += std::min(step, extent)) {
      places.push_back(at);
    }
  } else {
    if (extent == 0) return places;
    const int64_t last = end < 0 ? std::max<int64_t>(end + extent, -1) : end;
    const int64_t first = std::min(SliceBound(begin, extent), extent - 1);
    for (int64_t at = first; at > last; at += std::max(step, -extent)) {
      places.push_back(at);
    }
  }
  return places;
}

// Some places of one axis.
GraphConstant PickedOf(const GraphConstant& from, size_t axis, std::span<const int64_t> chosen) {
  std::vector<int64_t> shape = from.shape;
  shape[axis] = static_cast<int64_t>(chosen.size());
  size_t inner = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i) inner *= static_cast<size_t>(shape[i]);
  const size_t block = inner * static_cast<size_t>(from.shape[axis]);
  std::vector<size_t> places;
  for (size_t outer = 0; block > 0 && outer < from.size(); outer += block) {
    for (const int64_t one : chosen) {
      for (size_t i = 0; i < inner; ++i) {
        places.push_back(outer + static_cast<size_t>(one) * inner + i);
      }
    }
  }
  return Picked(from, std::move(shape), places);
}

}  // namespace

Status DoesNotFit(const OnnxNode& node) {
  return InvalidArgument(
      fmt::format("operator {} (node {}) does not fit its constants", node.op, Quote(node.name)));
}

StatusOr<GraphConstant> Reshaped(const OnnxNode& node, ConstantInputs inputs) {
  if (inputs.size() < 2 || inputs[1] == nullptr || !inputs[1]->whole) return DoesNotFit(node);
  auto shape = ReshapedTo(inputs[0]->shape, inputs[1]->wholes);
  return shape.has_value() ? WithShape(node, *inputs[0], *std::move(shape)) : DoesNotFit(node);
}

StatusOr<GraphConstant> Squeezed(const OnnxNode& node, ConstantInputs inputs) {
  const GraphConstant& from = *inputs[0];
  FACEGATE_ASSIGN_OR_RETURN(const auto given, AxesOf(node, inputs));
  const auto axes = given.has_value() ? AxesFromZero(*given, from.shape.size())
                                      : std::optional(std::vector<int64_t>());
  if (!axes.has_value()) return DoesNotFit(node);
  std::vector<int64_t> shape;
  for (size_t axis = 0; axis < from.shape.size(); ++axis) {
    const int64_t extent = from.shape[axis];
    const bool named =
        std::find(axes->begin(), axes->end(), static_cast<int64_t>(axis)) != axes->end();
    if (named && extent != 1) return DoesNotFit(node);
    if (!(given.has_value() ? named : extent == 1)) shape.push_back(extent);
  }
  return WithShape(node, from, std::move(shape));
}

StatusOr<GraphConstant> Unsqueezed(const OnnxNode& node, ConstantInputs inputs) {
  const GraphConstant& from = *inputs[0];
  FACEGATE_ASSIGN_OR_RETURN(const auto given, AxesOf(node, inputs));
  if (!given.has_value() || from.shape.size() + given->size() > kMaxConstantRank) {
    return DoesNotFit(node);
  }
  const auto axes = AxesFromZero(*given, from.shape.size() + given->size());
  if (!axes.has_value()) return DoesNotFit(node);
  std::vector<int64_t> shape = from.shape;
  for (const int64_t axis : *axes) {  // each once and in order: none is behind the end
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
StatusOr<GraphConstant> Joined(const OnnxNode& node, ConstantInputs inputs) {
  GraphConstant all{.shape = {0}, .whole = true};
  for (const GraphConstant* input : inputs) {
    if (input == nullptr || !input->whole || input->shape.size() > 1 ||
        input->size() > kMaxList - all.size()) {
      return DoesNotFit(node);
    }
    all.wholes.insert(all.wholes.end(), input->wholes.begin(), input->wholes.end());
  }
  all.shape = {static_cast<int64_t>(all.wholes.size())};
  return all;
}

StatusOr<GraphConstant> Gathered(const OnnxNode& node, ConstantInputs inputs) {
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

// Bounds are attributes, or from opset 10 on inputs; without axes they are of the first ones.
StatusOr<GraphConstant> Sliced(const OnnxNode& node, ConstantInputs inputs) {
  const auto list = [&](size_t input, const char* name) -> std::optional<std::vector<int64_t>> {
    if (inputs.size() > input && inputs[input] != nullptr) return inputs[input]->wholes;
    return IntegersOf(node, name);
  };
  for (const GraphConstant* const bound : inputs.subspan(1)) {
    if (bound != nullptr && !bound->whole) return DoesNotFit(node);
  }
  const auto begins = list(1, "starts");
  const auto ends = list(2, "ends");
  if (!begins.has_value() || !ends.has_value()) return DoesNotFit(node);
  const size_t count = begins->size();
  std::vector<int64_t> axes(count);
  for (size_t i = 0; i < count; ++i) axes[i] = static_cast<int64_t>(i);
  axes = list(3, "axes").value_or(axes);
  const auto steps = list(4, "steps").value_or(std::vector<int64_t>(count, 1));
  GraphConstant value = *inputs[0];
  const auto rank = static_cast<int64_t>(value.shape.size());
  if (count > kMaxConstantRank || ends->size() != count || axes.size() != count ||
      steps.size() != count || !AxesFromZero(axes, value.shape.size()).has_value()) {
    return DoesNotFit(node);
  }
  for (size_t i = 0; i < count; ++i) {
    if (steps[i] == 0) return DoesNotFit(node);
    const auto axis = static_cast<size_t>(axes[i] < 0 ? axes[i] + rank : axes[i]);
    value =
        PickedOf(value, axis, SlicePlaces((*begins)[i], (*ends)[i], steps[i], value.shape[axis]));
  }
  return value;
}

// A list of so many equal numbers, as PyTorch's exporter writes paddings.
StatusOr<GraphConstant> Filled(const OnnxNode& node, const GraphConstant& shape) {
  const std::optional<int64_t> count = ElementCount(shape.wholes);
  if (!shape.whole || shape.shape.size() > 1 || shape.wholes.size() > kMaxConstantRank ||
      !count.has_value() || *count > static_cast<int64_t>(kMaxList)) {
    return DoesNotFit(node);
  }
  GraphConstant value{.reals = {0.0F}};
  if (const auto tensor = TensorOf(node, "value")) {
    FACEGATE_ASSIGN_OR_RETURN(value, ConstantOf(*tensor));
  }
  if (value.size() != 1) return DoesNotFit(node);
  return Picked(value, shape.wholes, std::vector<size_t>(static_cast<size_t>(*count), 0));
}

GraphConstant ShapeOf(const OnnxNode& node, const GraphConstant& value) {
  const auto rank = static_cast<int64_t>(value.shape.size());
  const int64_t begin = SliceBound(IntegerOf(node, "start").value_or(0), rank);
  const int64_t end = SliceBound(IntegerOf(node, "end").value_or(rank), rank);
  GraphConstant shape{.shape = {std::max<int64_t>(end - begin, 0)}, .whole = true};
  for (int64_t i = begin; i < end; ++i) shape.wholes.push_back(value.shape[static_cast<size_t>(i)]);
  return shape;
}

int64_t SliceBound(int64_t bound, int64_t count) {
  return bound < 0 ? std::max<int64_t>(bound + count, 0) : std::min(bound, count);
}

std::optional<std::vector<int64_t>> AxesFromZero(std::span<const int64_t> axes, size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  std::vector<int64_t> sorted;
  for (const int64_t axis : axes) {
    if (axis < -count || axis >= count) return std::nullopt;
    sorted.push_back(axis < 0 ? axis + count : axis);
  }
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) return std::nullopt;
  return sorted;
}

std::optional<std::vector<int64_t>> ReshapedTo(std::span<const int64_t> shape,
                                               std::span<const int64_t> wanted) {
  if (wanted.size() > kMaxConstantRank) return std::nullopt;
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

}  // namespace facegate
