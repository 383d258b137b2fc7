#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "face/network/layer_fields.h"
#include "face/onnx/graph_follower.h"
#include "face/onnx/graph_parts.h"
#include "face/weights/quote.h"

namespace facegate::onnx_graph {
namespace {

using network::Borders;
using network::Extents;
using network::LayerKind;
using network::Sides;
using network::Window;

constexpr double kMost = std::numeric_limits<float>::max();

bool IsSide(int64_t number) { return number >= 1 && number <= network::kMaxSide; }

bool AreBorders(const std::vector<int64_t>& pads) {
  return std::all_of(pads.begin(), pads.end(),
                     [](int64_t pad) { return pad >= 0 && pad <= network::kMaxSide; });
}

// True for a convolution that puts colours into another order.
bool ReordersColours(const GraphConstant& weight, const network::Window& window) {
  if (window.kernel != Sides{} || window.stride != Sides{} || weight.shape[0] != weight.shape[1]) {
    return false;
  }
  const auto channels = static_cast<size_t>(weight.shape[0]);
  std::vector<size_t> ones(channels);
  for (size_t i = 0; i < weight.size(); ++i) {
    if (weight.reals[i] != 0.0F && weight.reals[i] != 1.0F) return false;
    if (weight.reals[i] == 1.0F) ++ones[i / channels];
  }
  return std::all_of(ones.begin(), ones.end(), [](size_t count) { return count == 1; });
}

}  // namespace

StatusOr<Window> GraphReader::WindowOf(const Sides& kernel, const Extents& shape) const {
  Window window{.kernel = kernel, .stride = {}, .dilation = {}, .padding = {}};
  const auto sides = [this](const char* name, Sides& to) {
    const auto list = IntegersOf(*node_, name);
    if (!list.has_value()) return true;
    if (list->size() != 2) return false;
    to = {(*list)[0], (*list)[1]};
    return IsSide(to.height) && IsSide(to.width);
  };
  if (!sides("strides", window.stride) || !sides("dilations", window.dilation) ||
      !IsSide(kernel.height) || !IsSide(kernel.width)) {
    return Unread(
        fmt::format("has a kernel, strides or dilations that are not two numbers of 1 to {}",
                    network::kMaxSide));
  }
  if (IntegerOf(*node_, "ceil_mode").value_or(0) != 0) return Unread("rounds sizes up");
  const std::string automatic = TextOf(*node_, "auto_pad").value_or("NOTSET");
  if (automatic == "VALID") return window;
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const auto split = [&](int64_t side, int64_t size, int64_t stride, int64_t dilation) {
      const int64_t whole = std::max<int64_t>(
          0, ((side + stride - 1) / stride - 1) * stride + (size - 1) * dilation + 1 - side);
      const int64_t less = whole / 2;
      return automatic == "SAME_UPPER" ? std::pair(less, whole - less)
                                       : std::pair(whole - less, less);
    };
    std::tie(window.padding.top, window.padding.bottom) =
        split(shape[1], kernel.height, window.stride.height, window.dilation.height);
    std::tie(window.padding.left, window.padding.right) =
        split(shape[2], kernel.width, window.stride.width, window.dilation.width);
  } else if (automatic != "NOTSET") {
    return Unread("pads by " + Quote(automatic));
  } else if (const auto pads = IntegersOf(*node_, "pads")) {
    if (pads->size() != 4 || !AreBorders(*pads)) {
      return Unread(
          fmt::format("has pads that are not four numbers of 0 to {}", network::kMaxSide));
    }
    window.padding = {(*pads)[0], (*pads)[1], (*pads)[2], (*pads)[3]};
  }
  return window;
}

Status GraphReader::Conv() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Map(0));
  FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const weight, Weights(1));
  const std::vector<int64_t>& shape = weight->shape;
  const int64_t groups = IntegerOf(*node_, "group").value_or(1);
  if (shape.size() != 4 || ElementCount(shape).value_or(0) < 1 || groups < 1 ||
      shape[0] % groups != 0) {
    return Unread("has weights of the shape " + ShapeText(shape));
  }
  FACEGATE_ASSIGN_OR_RETURN(const Window window, WindowOf({shape[2], shape[3]}, input.shape));
  LayerTensors tensors = {{"weight", FloatTensor(shape, weight->reals)}};
  const bool bias = Has(2);
  const bool reorders = input.number == prepared_ && !bias && ReordersColours(*weight, window);
  if (bias) {
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const numbers, Weights(2));
    if (numbers->reals.size() != static_cast<size_t>(shape[0])) {
      return Unread("has a bias of another size");
    }
    tensors.emplace_back("bias", FloatTensor({shape[0]}, numbers->reals));
  }
  const Borders& padding = window.padding;
  const bool square = window.kernel.height == window.kernel.width &&
                      window.stride.height == window.stride.width && window.dilation == Sides{} &&
                      padding == Borders{padding.top, padding.top, padding.top, padding.top};
  if (!square) {
    return Give(network::OblongConvolution{.in = shape[1] * groups,
                                           .out = shape[0],
                                           .groups = groups,
                                           .window = window,
                                           .bias = bias},
                input, tensors);
  }
  FACEGATE_RETURN_IF_ERROR(Give(network::Convolution{{.in = shape[1] * groups,
                                                      .out = shape[0],
                                                      .kernel = shape[2],
                                                      .stride = window.stride.height,
                                                      .padding = padding.top,
                                                      .groups = groups},
                                                     bias},
                                input, tensors));
  if (reorders) prepared_ = values_[node_->outputs.front()].number;
  return OkStatus();
}

Status GraphReader::Norm() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  if (input.channels_last || !input.flattened.empty()) return Unread("has its channels last");
  if (IntegerOf(*node_, "training_mode").value_or(0) != 0) return Unread("is of a training");
  constexpr std::array<const char*, 4> kNames = {"weight", "bias", "running_mean", "running_var"};
  LayerTensors tensors;
  for (size_t i = 0; i < kNames.size(); ++i) {
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const numbers, Weights(i + 1));
    if (numbers->reals.size() != static_cast<size_t>(input.shape[0])) {
      return Unread("has statistics of another size");
    }
    tensors.emplace_back(kNames[i], FloatTensor({input.shape[0]}, numbers->reals));
  }
  const float epsilon = RealOf(*node_, "epsilon").value_or(1e-5F);
  return GiveInOrder(network::BatchNorm{.channels = input.shape[0],
                                        .epsilon = std::stod(fmt::format("{}", epsilon))},
                     input, tensors);
}

Status GraphReader::GlobalMean() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Map(0));
  return Give(network::GlobalAverage{}, input);
}

Status GraphReader::Mean() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  FACEGATE_ASSIGN_OR_RETURN(const auto given, Axes(1));
  const auto axes = AxesFromZero(given.value_or(std::vector<int64_t>()), 4);
  const std::vector<int64_t> places =
      input.channels_last ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{2, 3};
  if (input.shape.size() != 3 || axes != places) return Unread("is a mean over other axes");
  FACEGATE_RETURN_IF_ERROR(Give(network::GlobalAverage{}, input));
  Value output = values_[node_->outputs.front()];
  output.channels_last = input.channels_last;
  if (IntegerOf(*node_, "keepdims").value_or(1) == 0) return GiveList(output);
  return GiveSame(output);
}

Status GraphReader::Pool() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Map(0));
  const auto kernel = IntegersOf(*node_, "kernel_shape");
  if (!kernel.has_value() || kernel->size() != 2) return Unread("has no kernel of two extents");
  FACEGATE_ASSIGN_OR_RETURN(const Window window,
                            WindowOf({(*kernel)[0], (*kernel)[1]}, input.shape));
  if (node_->op == "MaxPool") return Give(network::MaxPool{window}, input);
  if (window.dilation != Sides{}) return Unread("has dilations");
  const bool counted = IntegerOf(*node_, "count_include_pad").value_or(0) != 0;
  return Give(network::AveragePool{.window = window, .count_padding = counted}, input);
}

Status GraphReader::PadZeros() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Map(0));
  std::optional<std::vector<int64_t>> pads = IntegersOf(*node_, "pads");
  if (Has(1)) {
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const given, Constant(node_->inputs[1]));
    if (given == nullptr || !given->whole) return Unread("has pads that are not whole numbers");
    pads = given->wholes;
  }
  double value = RealOf(*node_, "value").value_or(0.0F);
  if (Has(2)) {
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const given, Weights(2));
    value = given->reals.size() == 1 ? given->reals[0] : kMost;
  }
  const bool zeros = TextOf(*node_, "mode").value_or("constant") == "constant" && value == 0.0;
  if (!zeros || !pads.has_value() || pads->size() != 8 || (*pads)[0] != 0 || (*pads)[1] != 0 ||
      (*pads)[4] != 0 || (*pads)[5] != 0 || !AreBorders(*pads) || Has(3)) {
    return Unread("pads otherwise than by zeros around a map");
  }
  return Give(network::Pad{{(*pads)[2], (*pads)[3], (*pads)[6], (*pads)[7]}}, input);
}

Status GraphReader::Slopes() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const slope, Weights(1));
  std::vector<float> slopes = slope->reals;
  // Before opset 7 a list has a slope for each channel, and some exporters kept to that.
  const bool by_channel = slope->shape == std::vector<int64_t>{input.shape[0]} &&
                          !input.channels_last && input.flattened.empty() &&
                          OnnxShape(input).back() != input.shape[0];
  if (!by_channel) {
    FACEGATE_ASSIGN_OR_RETURN(slopes, ByChannel(*slope, input));
  }
  const auto count = static_cast<int64_t>(slopes.size());
  return GiveInOrder(network::PRelu{count}, input, {{"weight", FloatTensor({count}, slopes)}});
}

Status GraphReader::Leaky() {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
  const std::vector<float> slope = {RealOf(*node_, "alpha").value_or(0.01F)};
  return GiveInOrder(network::PRelu{1}, input, {{"weight", FloatTensor({1}, slope)}});
}

Status GraphReader::Rectify() { return Activate(network::Relu{}); }

Status GraphReader::Squash() { return Activate(network::Sigmoid{}); }

Status GraphReader::Activate(LayerKind kind) {
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Any(0));
  if (input.length_of.has_value()) return GiveSame(input);
  return GiveInOrder(std::move(kind), input);
}

Status GraphReader::Limit() {
  const auto limit = [this](size_t input, const char* name, double otherwise) -> StatusOr<double> {
    if (Has(input)) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const constant, Weights(input));
      if (constant->reals.size() != 1) return Unread("has limits that are not single numbers");
      return constant->reals[0];
    }
    return RealOf(*node_, name).value_or(static_cast<float>(otherwise));
  };
  FACEGATE_ASSIGN_OR_RETURN(const double low, limit(1, "min", -kMost));
  FACEGATE_ASSIGN_OR_RETURN(const double high, limit(2, "max", kMost));
  if (!(low <= high)) return Unread("has limits that are none");
  FACEGATE_ASSIGN_OR_RETURN(const Value input, Any(0));
  if (input.length_of.has_value() && high <= 0.0) {
    return Unread("changes the length of an embedding");
  }
  if (low == 0.0 && high >= kMost) return Activate(network::Relu{});
  return Activate(network::Clip{.low = std::max(low, -kMost), .high = std::min(high, kMost)});
}

}  // namespace facegate::onnx_graph
