#include "face/onnx/graph_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>

#include "face/network/output_shape.h"
#include "face/onnx/constant_folding.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

using network::Borders;
using network::Extents;
using network::Join;
using network::LayerKind;
using network::Sides;
using network::Window;

constexpr double kMost = std::numeric_limits<float>::max();
constexpr int64_t kUsualSide = 112;  // pixels, where the graph leaves it open

// A value that depends on the picture.
struct Value {
  size_t number = 0;  // as network::Call counts them
  Extents shape{};    // of one picture: C·H·W, or a length
  // In the graph its last extent is that of the channels; here it is C·H·W all the same.
  bool channels_last = false;
  // A list that was flattened in the order H, W, C: that map's extents, C·H·W.
  Extents flattened{};
  // It is the length of this value, for each picture.
  std::optional<size_t> length_of{};
};

Tensor FloatTensor(std::vector<int64_t> shape, std::span<const float> numbers) {
  Tensor tensor{.dtype = DType::kF32, .shape = std::move(shape), .bytes = {}};
  tensor.bytes.assign(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
  return tensor;
}

std::string Lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char letter) {
    return static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
  });
  return text;
}

// Follows the nodes of one graph. Each of its calls handles the node at hand.
class GraphReader {
 public:
  explicit GraphReader(OnnxModel model) : model_(std::move(model)) {}

  StatusOr<GraphNetwork> Read() {
    FACEGATE_RETURN_IF_ERROR(TakeInput());
    if (model_.outputs.empty()) return InvalidArgument("the graph has no output");
    const std::string output = model_.outputs.front().name;
    const std::set<std::string> needed = NeededFor(output);
    for (const OnnxNode& node : model_.nodes) {
      if (std::none_of(node.outputs.begin(), node.outputs.end(),
                       [&](const std::string& one) { return needed.contains(one); })) {
        continue;
      }
      node_ = &node;
      if (Status status = Follow(); !status.ok()) return Annotate(status, Where());
    }
    FACEGATE_RETURN_IF_ERROR(Finish(output));
    return std::move(result_);
  }

 private:
  std::string Where() const {
    return fmt::format("operator {} (node {})", node_->op, Quote(node_->name));
  }
  static Status Unread(std::string_view what) {
    return InvalidArgument(fmt::format("{}, which is not read", what));
  }

  // The names of values that the output depends on.
  std::set<std::string> NeededFor(const std::string& output) const {
    std::set<std::string> needed = {output};
    for (auto node = model_.nodes.rbegin(); node != model_.nodes.rend(); ++node) {
      const bool gives = std::any_of(node->outputs.begin(), node->outputs.end(),
                                     [&](const std::string& one) { return needed.contains(one); });
      if (gives) needed.insert(node->inputs.begin(), node->inputs.end());
    }
    return needed;
  }

  Status TakeInput() {
    if (model_.inputs.empty()) return InvalidArgument("the graph has no input");
    const OnnxValue& input = model_.inputs.front();
    const auto& shape = input.shape;
    if (!shape.has_value() || shape->size() != 4) {
      return InvalidArgument(fmt::format("the input {} is not N·C·H·W", Quote(input.name)));
    }
    const auto extent = [&](size_t i) {
      const auto* const fixed = std::get_if<int64_t>(&(*shape)[i]);
      return fixed != nullptr && *fixed > 0 ? *fixed : int64_t{0};
    };
    const auto is_colour = [](int64_t channels) { return channels == 1 || channels == 3; };
    const bool last = !is_colour(extent(1)) && is_colour(extent(3));
    network::Input& taken = result_.description.input;
    taken = {.channels = extent(last ? 3 : 1),
             .height = extent(last ? 1 : 2),
             .width = extent(last ? 2 : 3)};
    if (!is_colour(taken.channels)) {
      return InvalidArgument(fmt::format("the input {} has {} channels, expected 1 or 3",
                                         Quote(input.name), taken.channels));
    }
    if (taken.height == 0) taken.height = kUsualSide;
    if (taken.width == 0) taken.width = kUsualSide;
    values_[input.name] = {.shape = {taken.channels, taken.height, taken.width},
                           .channels_last = last};
    return OkStatus();
  }

  // The constant of that name; null where it is none.
  StatusOr<const GraphConstant*> Constant(const std::string& name) {
    if (const auto known = constants_.find(name); known != constants_.end()) return &known->second;
    const auto tensor = model_.initializers.extract(name);
    if (tensor.empty()) return nullptr;
    FACEGATE_ASSIGN_OR_RETURN(GraphConstant constant, ConstantOf(tensor.mapped()));
    return &(constants_[name] = std::move(constant));
  }
  // An input of the node that is a constant of fractions, whose absence is an error.
  StatusOr<const GraphConstant*> Weights(size_t input) {
    if (input < node_->inputs.size()) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const constant,
                                Constant(node_->inputs[input]));
      if (constant != nullptr && !constant->whole) return constant;
    }
    return Unread(fmt::format("has no constant as input {}", input));
  }
  bool Has(size_t input) const {
    return input < node_->inputs.size() && !node_->inputs[input].empty();
  }
  // An input that depends on the picture.
  StatusOr<Value> Any(size_t input) const {
    if (Has(input)) {
      const auto found = values_.find(node_->inputs[input]);
      if (found != values_.end()) return found->second;
    }
    return Unread(fmt::format("has input {} from nowhere", input));
  }
  // The same of one that is no length.
  StatusOr<Value> Data(size_t input) const {
    FACEGATE_ASSIGN_OR_RETURN(Value value, Any(input));
    if (!value.length_of.has_value()) return value;
    return Unread("takes the length of an embedding");
  }
  // The same of a map whose channels come first.
  StatusOr<Value> Map(size_t input) const {
    FACEGATE_ASSIGN_OR_RETURN(Value value, Data(input));
    if (value.shape.size() == 3 && !value.channels_last) return value;
    return Unread(fmt::format("takes the shape {}{}", ShapeText(value.shape),
                              value.channels_last ? " with channels last" : ""));
  }
  StatusOr<Value> List(size_t input) const {
    FACEGATE_ASSIGN_OR_RETURN(Value value, Data(input));
    if (value.shape.size() == 1) return value;
    return Unread(fmt::format("takes the shape {}", ShapeText(value.shape)));
  }

  // Makes a layer of the node, with its tensors, and calls it with `input`.
  Status Give(LayerKind kind, const Value& input,
              const std::vector<std::pair<const char*, Tensor>>& tensors = {}) {
    FACEGATE_ASSIGN_OR_RETURN(Extents output, network::OutputOf(kind, input.shape));
    network::Graph& graph = graph_;
    const std::string name = fmt::format("{}{}", Lowered(node_->op), graph.layers.size());
    for (const auto& [tensor, value] : tensors) {
      result_.tensors.emplace(fmt::format("{}.{}.{}", kGraphName, name, tensor), value);
    }
    if (input.number == 0 && std::holds_alternative<network::ChannelAffine>(kind)) {
      result_.prepares_input = true;
    }
    graph.layers.push_back({name, std::move(kind)});
    return GiveCall({graph.layers.size() - 1, {input.number}}, std::move(output));
  }
  Status GiveCall(network::Call call, Extents shape) {
    if (normalised_) return Unread("follows the normalised embedding");
    graph_.calls.push_back(std::move(call));
    values_[node_->outputs.front()] = {.number = graph_.calls.size(), .shape = std::move(shape)};
    return OkStatus();
  }
  Status GiveSame(const Value& value) {
    values_[node_->outputs.front()] = value;
    return OkStatus();
  }

  Status Follow() {
    if (!node_->domain.empty() && node_->domain != "ai.onnx") {
      return Unread("is of the domain " + Quote(node_->domain));
    }
    std::vector<const GraphConstant*> constants;
    bool all = true;
    for (const std::string& input : node_->inputs) {
      const GraphConstant* constant = nullptr;
      // Weights are large, and asked for where they are read.
      if (!input.empty() && !values_.contains(input)) {
        FACEGATE_ASSIGN_OR_RETURN(constant, Constant(input));
        if (constant == nullptr) return Unread("has the input " + Quote(input) + " from nowhere");
      }
      all = all && (input.empty() || constant != nullptr);
      constants.push_back(constant);
    }
    if (!all) return FollowData();
    FACEGATE_ASSIGN_OR_RETURN(constants_[node_->outputs.front()], FoldNode(*node_, constants));
    return OkStatus();
  }

  Status FollowData() {
    using Handler = Status (GraphReader::*)();
    static const std::map<std::string_view, Handler> handlers = {
        {"Conv", &GraphReader::Conv},
        {"BatchNormalization", &GraphReader::Norm},
        {"PRelu", &GraphReader::Slopes},
        {"LeakyRelu", &GraphReader::Leaky},
        {"Relu", &GraphReader::Rectify},
        {"Clip", &GraphReader::Limit},
        {"Sigmoid", &GraphReader::Squash},
        {"Add", &GraphReader::Meet},
        {"Sub", &GraphReader::Meet},
        {"Mul", &GraphReader::Meet},
        {"Div", &GraphReader::Meet},
        {"Concat", &GraphReader::Concat},
        {"Gemm", &GraphReader::Gemm},
        {"MatMul", &GraphReader::MatMul},
        {"Flatten", &GraphReader::Flatten},
        {"Reshape", &GraphReader::Reshape},
        {"Squeeze", &GraphReader::Flatten},
        {"GlobalAveragePool", &GraphReader::GlobalMean},
        {"ReduceMean", &GraphReader::Mean},
        {"AveragePool", &GraphReader::Pool},
        {"MaxPool", &GraphReader::Pool},
        {"Pad", &GraphReader::PadZeros},
        {"Transpose", &GraphReader::Transpose},
        {"Shape", &GraphReader::TellShape},
        {"ReduceL2", &GraphReader::Length},
        {"Expand", &GraphReader::PassLength},
        {"LpNormalization", &GraphReader::Unit},
        {"Identity", &GraphReader::Pass},
        {"Dropout", &GraphReader::Pass},
        {"Cast", &GraphReader::Pass},
    };
    const auto handler = handlers.find(node_->op);
    if (handler == handlers.end()) return Unread("is another operator than those known here");
    return (this->*handler->second)();
  }

  Status Pass() {
    FACEGATE_ASSIGN_OR_RETURN(const Value value, Any(0));
    return GiveSame(value);
  }
  Status TellShape() {
    FACEGATE_ASSIGN_OR_RETURN(const Value value, Data(0));
    GraphConstant shape{.whole = true, .wholes = OnnxShape(value)};
    shape.shape = {static_cast<int64_t>(shape.wholes.size())};
    constants_[node_->outputs.front()] = std::move(shape);
    return OkStatus();
  }
  // The shape of a value in the graph, of one picture.
  static std::vector<int64_t> OnnxShape(const Value& value) {
    std::vector<int64_t> shape = {1};
    shape.insert(shape.end(), value.shape.begin(), value.shape.end());
    if (value.channels_last) std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
    return shape;
  }

  StatusOr<Window> WindowOf(const Sides& kernel, const Extents& shape) const {
    Window window{.kernel = kernel, .stride = {}, .dilation = {}, .padding = {}};
    const auto sides = [this](const char* name, Sides& to) {
      const auto list = IntegersOf(*node_, name);
      if (!list.has_value()) return true;
      if (list->size() != 2) return false;
      to = {(*list)[0], (*list)[1]};
      return to.height >= 1 && to.width >= 1;
    };
    if (!sides("strides", window.stride) || !sides("dilations", window.dilation)) {
      return Unread("has strides or dilations that are not two numbers");
    }
    if (IntegerOf(*node_, "ceil_mode").value_or(0) != 0) return Unread("rounds sizes up");
    const std::string automatic = TextOf(*node_, "auto_pad").value_or("NOTSET");
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
    } else if (const auto pads = IntegersOf(*node_, "pads")) {
      if (pads->size() != 4 || *std::min_element(pads->begin(), pads->end()) < 0) {
        return Unread("has pads that are not four numbers from 0 on");
      }
      window.padding = {(*pads)[0], (*pads)[1], (*pads)[2], (*pads)[3]};
    }
    return window;
  }

  Status Conv() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Map(0));
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const weight, Weights(1));
    const std::vector<int64_t>& shape = weight->shape;
    const int64_t groups = IntegerOf(*node_, "group").value_or(1);
    if (shape.size() != 4 || ElementCount(shape).value_or(0) < 1 || groups < 1 ||
        shape[0] % groups != 0) {
      return Unread("has weights of the shape " + ShapeText(shape));
    }
    FACEGATE_ASSIGN_OR_RETURN(const Window window, WindowOf({shape[2], shape[3]}, input.shape));
    std::vector<std::pair<const char*, Tensor>> tensors = {
        {"weight", FloatTensor(shape, weight->reals)}};
    const bool bias = Has(2);
    if (bias) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const numbers, Weights(2));
      if (numbers->reals.size() != static_cast<size_t>(shape[0]))
        return Unread(
            "has a bias of "
            "another size");
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
    return Give(network::Convolution{{.in = shape[1] * groups,
                                      .out = shape[0],
                                      .kernel = shape[2],
                                      .stride = window.stride.height,
                                      .padding = padding.top,
                                      .groups = groups},
                                     bias},
                input, tensors);
  }

  Status Norm() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
    if (input.channels_last || !input.flattened.empty()) return Unread("has its channels last");
    constexpr std::array<const char*, 4> kNames = {"weight", "bias", "running_mean", "running_var"};
    std::vector<std::pair<const char*, Tensor>> tensors;
    for (size_t i = 0; i < kNames.size(); ++i) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const numbers, Weights(i + 1));
      if (numbers->reals.size() != static_cast<size_t>(input.shape[0])) {
        return Unread("has statistics of another size");
      }
      tensors.emplace_back(kNames[i], FloatTensor({input.shape[0]}, numbers->reals));
    }
    const float epsilon = RealOf(*node_, "epsilon").value_or(1e-5F);
    return Give(network::BatchNorm{.channels = input.shape[0],
                                   .epsilon = std::stod(fmt::format("{}", epsilon))},
                input, tensors);
  }

  // The numbers of a constant, one for each channel of the value, or one for all.
  StatusOr<std::vector<float>> ByChannel(const GraphConstant& constant, const Value& value) const {
    const auto channels = static_cast<size_t>(value.shape[0]);
    std::vector<int64_t> shape = constant.shape;
    if (!shape.empty() && shape.size() == OnnxShape(value).size() && shape[0] == 1) {
      shape.erase(shape.begin());
    }
    bool fits = constant.reals.size() == 1;
    if (!fits && constant.reals.size() == channels && value.flattened.empty()) {
      std::vector<int64_t> expected(value.shape.size(), 1);
      (value.channels_last ? expected.back() : expected.front()) = value.shape[0];
      // Leading extents of 1 may be missing.
      while (expected.size() > shape.size() && expected.front() == 1) {
        expected.erase(expected.begin());
      }
      fits = shape == expected;
    }
    if (!fits) return Unread("has a constant of the shape " + ShapeText(constant.shape));
    return constant.reals;
  }

  Status Slopes() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const slope, Weights(1));
    std::vector<float> slopes = slope->reals;
    const bool fits = slopes.size() == 1 || slopes.size() == static_cast<size_t>(input.shape[0]);
    if (!fits || !input.flattened.empty()) return Unread("has slopes of another size");
    const auto count = static_cast<int64_t>(slopes.size());
    return Give(network::PRelu{count}, input, {{"weight", FloatTensor({count}, slopes)}});
  }
  Status Leaky() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
    const std::vector<float> slope = {RealOf(*node_, "alpha").value_or(0.01F)};
    return Give(network::PRelu{1}, input, {{"weight", FloatTensor({1}, slope)}});
  }
  Status Rectify() { return Activate(network::Relu{}); }
  Status Squash() { return Activate(network::Sigmoid{}); }
  // A layer that treats all numbers alike leaves their order.
  Status Activate(LayerKind kind) {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Any(0));
    if (input.length_of.has_value()) return GiveSame(input);
    FACEGATE_RETURN_IF_ERROR(Give(std::move(kind), input));
    Value& output = values_[node_->outputs.front()];
    output.channels_last = input.channels_last;
    output.flattened = input.flattened;
    return OkStatus();
  }
  Status Limit() {
    const auto limit = [this](size_t input, const char* name,
                              double otherwise) -> StatusOr<double> {
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
    if (low == 0.0 && high >= kMost) return Activate(network::Relu{});
    return Activate(network::Clip{.low = std::max(low, -kMost), .high = std::min(high, kMost)});
  }

  // Add, Sub, Mul and Div, of two values or of one and a constant.
  Status Meet() {
    if (node_->inputs.size() != 2) return Unread("has not two inputs");
    const bool first = values_.contains(node_->inputs[0]);
    const bool second = values_.contains(node_->inputs[1]);
    if (first && second) return JoinTwo();
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Any(first ? 0 : 1));
    if (input.length_of.has_value()) return GiveSame(input);  // plus what keeps it from zero
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const constant, Weights(first ? 1 : 0));
    FACEGATE_ASSIGN_OR_RETURN(std::vector<float> numbers, ByChannel(*constant, input));
    numbers.resize(static_cast<size_t>(input.shape[0]), numbers.front());
    const int64_t channels = input.shape[0];
    const auto tensor = [channels](std::vector<float> of) { return FloatTensor({channels}, of); };
    const std::string& op = node_->op;
    if (op == "Add" || op == "Sub") {
      const bool negated = op == "Sub" && !first;  // c - x
      if (op == "Sub" && first) {
        for (float& one : numbers) one = -one;
      }
      std::vector<std::pair<const char*, Tensor>> tensors = {{"bias", tensor(numbers)}};
      if (negated) {
        tensors.emplace_back("weight", tensor(std::vector<float>(numbers.size(), -1.0F)));
      }
      return GiveAffine({.channels = channels, .weight = negated, .bias = true}, input, tensors);
    }
    if (op == "Div") {
      if (!first) return Unread("divides a constant by what depends on the picture");
      for (float& one : numbers) {
        if (one == 0.0F) return Unread("divides by zero");
        one = 1.0F / one;
      }
    }
    return GiveAffine({.channels = channels, .weight = true, .bias = false}, input,
                      {{"weight", tensor(numbers)}});
  }
  Status GiveAffine(const network::ChannelAffine& layer, const Value& input,
                    const std::vector<std::pair<const char*, Tensor>>& tensors) {
    FACEGATE_RETURN_IF_ERROR(Give(layer, input, tensors));
    Value& output = values_[node_->outputs.front()];
    output.channels_last = input.channels_last;
    output.flattened = input.flattened;
    return OkStatus();
  }
  Status JoinTwo() {
    FACEGATE_ASSIGN_OR_RETURN(const Value one, Data(0));
    FACEGATE_ASSIGN_OR_RETURN(const Value other, Any(1));
    // An embedding divided by its length points where it did.
    if (node_->op == "Div" && other.length_of == one.number) {
      normalised_ = true;
      return GiveSame(one);
    }
    if (other.length_of.has_value()) return Unread("takes the length of an embedding");
    if (one.channels_last != other.channels_last || one.flattened != other.flattened) {
      return Unread("joins channels that come first with such that come last");
    }
    static const std::map<std::string_view, Join> joins = {{"Add", Join::kAdd},
                                                           {"Sub", Join::kSubtract},
                                                           {"Mul", Join::kMultiply},
                                                           {"Div", Join::kDivide}};
    const bool larger_first = ElementCount(one.shape) >= ElementCount(other.shape);
    FACEGATE_RETURN_IF_ERROR(GiveCall({joins.at(node_->op), {one.number, other.number}},
                                      larger_first ? one.shape : other.shape));
    Value& output = values_[node_->outputs.front()];
    output.channels_last = one.channels_last;
    output.flattened = one.flattened;
    return OkStatus();
  }
  Status Concat() {
    network::Call call{.what = Join::kConcat, .inputs = {}};
    Extents shape;
    for (size_t i = 0; i < node_->inputs.size(); ++i) {
      FACEGATE_ASSIGN_OR_RETURN(const Value value, Data(i));
      if (value.channels_last || !value.flattened.empty()) return Unread("has channels last");
      call.inputs.push_back(value.number);
      if (shape.empty()) {
        shape = value.shape;
      } else if (shape.size() == value.shape.size()) {
        shape[0] += value.shape[0];
      }
    }
    const int64_t axis = IntegerOf(*node_, "axis").value_or(1);
    if (axis != 1 && axis != -static_cast<int64_t>(shape.size())) {
      return Unread("joins another axis than the channels");
    }
    if (call.inputs.size() == 1) return Pass();
    return GiveCall(std::move(call), std::move(shape));
  }

  // A matrix of `in` rows and `out` columns that a list is multiplied by.
  Status GiveProduct(const Value& input, int64_t in, int64_t out,
                     const std::function<float(int64_t, int64_t)>& at, const Tensor* bias) {
    if (input.shape[0] != in)
      return Unread(fmt::format("takes {} numbers, given are {}", in, input.shape[0]));
    // Where in the list of C·H·W each of its numbers is.
    std::vector<int64_t> places(static_cast<size_t>(in));
    for (int64_t i = 0; i < in; ++i) places[static_cast<size_t>(i)] = i;
    if (const Extents& map = input.flattened; !map.empty()) {
      for (int64_t i = 0; i < in; ++i) {
        places[static_cast<size_t>(i)] = i % map[0] * (map[1] * map[2]) + i / map[0];
      }
    }
    std::vector<float> weight(static_cast<size_t>(in * out));
    for (int64_t o = 0; o < out; ++o) {
      for (int64_t i = 0; i < in; ++i) {
        weight[static_cast<size_t>(o * in + places[static_cast<size_t>(i)])] = at(i, o);
      }
    }
    std::vector<std::pair<const char*, Tensor>> tensors = {
        {"weight", FloatTensor({out, in}, weight)}};
    if (bias != nullptr) tensors.emplace_back("bias", *bias);
    return Give(network::Linear{.in = in, .out = out, .bias = bias != nullptr}, input, tensors);
  }
  Status Gemm() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, List(0));
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const weight, Weights(1));
    const bool transposed = IntegerOf(*node_, "transB").value_or(0) != 0;
    const float alpha = RealOf(*node_, "alpha").value_or(1.0F);
    const float beta = RealOf(*node_, "beta").value_or(1.0F);
    if (weight->shape.size() != 2 || IntegerOf(*node_, "transA").value_or(0) != 0) {
      return Unread("is a product of other shapes");
    }
    const int64_t in = weight->shape[transposed ? 1 : 0];
    const int64_t out = weight->shape[transposed ? 0 : 1];
    std::optional<Tensor> bias;
    if (Has(2)) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const numbers, Weights(2));
      std::vector<float> all = numbers->reals;
      if (all.size() == 1) all.resize(static_cast<size_t>(out), all.front());
      if (all.size() != static_cast<size_t>(out)) return Unread("has a bias of another size");
      for (float& one : all) one *= beta;
      bias = FloatTensor({out}, all);
    }
    const auto at = [&](int64_t i, int64_t o) {
      return alpha * weight->reals[static_cast<size_t>(transposed ? o * in + i : i * out + o)];
    };
    return GiveProduct(input, in, out, at, bias.has_value() ? &*bias : nullptr);
  }
  Status MatMul() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, List(0));
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const weight, Weights(1));
    if (weight->shape.size() != 2) return Unread("is a product of other shapes");
    const int64_t out = weight->shape[1];
    const auto at = [&](int64_t i, int64_t o) {
      return weight->reals[static_cast<size_t>(i * out + o)];
    };
    return GiveProduct(input, weight->shape[0], out, at, nullptr);
  }

  Status Flatten() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
    if (input.shape.size() == 1) return GiveSame(input);
    if (node_->op == "Flatten" && IntegerOf(*node_, "axis").value_or(1) != 1) {
      return Unread("flattens from another axis on");
    }
    if (node_->op == "Squeeze" && (input.shape[1] != 1 || input.shape[2] != 1)) {
      return Unread("squeezes the shape " + ShapeText(input.shape));
    }
    return GiveList(input);
  }
  Status GiveList(const Value& map) {
    FACEGATE_RETURN_IF_ERROR(Give(network::Flatten{}, map));
    if (map.channels_last && map.shape[1] * map.shape[2] > 1) {
      values_[node_->outputs.front()].flattened = map.shape;
    }
    return OkStatus();
  }
  Status Reshape() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
    if (!Has(1)) return Unread("has no shape");
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const wanted, Constant(node_->inputs[1]));
    if (wanted == nullptr || !wanted->whole) return Unread("has a shape that is not constant");
    const std::vector<int64_t> from = OnnxShape(input);
    const auto to = ReshapedTo(from, wanted->wholes);
    if (to == from) return GiveSame(input);
    if (to.has_value() && to->size() == 2 && to->front() == 1) {
      return input.shape.size() == 1 ? GiveSame(input) : GiveList(input);
    }
    return Unread(fmt::format("makes {} of {}", ShapeText(wanted->wholes), ShapeText(from)));
  }
  Status Transpose() {
    FACEGATE_ASSIGN_OR_RETURN(Value input, Data(0));
    const auto order = IntegersOf(*node_, "perm");
    const bool to_first = order == std::vector<int64_t>{0, 3, 1, 2};
    const bool to_last = order == std::vector<int64_t>{0, 2, 3, 1};
    if (input.shape.size() != 3 || (input.channels_last ? !to_first : !to_last)) {
      return Unread("transposes into another order than N·C·H·W or N·H·W·C");
    }
    input.channels_last = to_last;
    return GiveSame(input);
  }

  Status GlobalMean() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Map(0));
    return Give(network::GlobalAverage{}, input);
  }
  Status Mean() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Data(0));
    std::vector<int64_t> axes = IntegersOf(*node_, "axes").value_or(std::vector<int64_t>());
    if (Has(1)) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const given, Constant(node_->inputs[1]));
      if (given != nullptr) axes = given->wholes;
    }
    for (int64_t& axis : axes) axis = axis < 0 ? axis + 4 : axis;
    std::sort(axes.begin(), axes.end());
    const std::vector<int64_t> places =
        input.channels_last ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{2, 3};
    if (input.shape.size() != 3 || axes != places) return Unread("is a mean over other axes");
    FACEGATE_RETURN_IF_ERROR(Give(network::GlobalAverage{}, input));
    Value output = values_[node_->outputs.front()];
    output.channels_last = input.channels_last;
    if (IntegerOf(*node_, "keepdims").value_or(1) == 0) return GiveList(output);
    return GiveSame(output);
  }
  Status Pool() {
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
  Status PadZeros() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Map(0));
    std::optional<std::vector<int64_t>> pads = IntegersOf(*node_, "pads");
    if (Has(1)) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const given, Constant(node_->inputs[1]));
      if (given != nullptr && given->whole) pads = given->wholes;
    }
    double value = RealOf(*node_, "value").value_or(0.0F);
    if (Has(2)) {
      FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const given, Weights(2));
      value = given->reals.size() == 1 ? given->reals[0] : kMost;
    }
    const bool zeros = TextOf(*node_, "mode").value_or("constant") == "constant" && value == 0.0;
    if (!zeros || !pads.has_value() || pads->size() != 8 || (*pads)[0] != 0 || (*pads)[1] != 0 ||
        (*pads)[4] != 0 || (*pads)[5] != 0 || *std::min_element(pads->begin(), pads->end()) < 0) {
      return Unread("pads otherwise than by zeros around a map");
    }
    return Give(network::Pad{{(*pads)[2], (*pads)[3], (*pads)[6], (*pads)[7]}}, input);
  }

  // The length of a list; what is done to it before it divides only keeps it from zero.
  Status Length() {
    FACEGATE_ASSIGN_OR_RETURN(Value input, List(0));
    input.length_of = input.number;
    return GiveSame(input);
  }
  Status PassLength() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, Any(0));
    if (!input.length_of.has_value()) return Unread("repeats a value");
    return GiveSame(input);
  }
  Status Unit() {
    FACEGATE_ASSIGN_OR_RETURN(const Value input, List(0));
    if (IntegerOf(*node_, "p").value_or(2) != 2) return Unread("is by another length");
    normalised_ = true;
    return GiveSame(input);
  }

  Status Finish(const std::string& name) {
    const auto found = values_.find(name);
    if (found == values_.end()) {
      return InvalidArgument(
          fmt::format("the output {} does not depend on the input", Quote(name)));
    }
    const Value output = found->second;
    if (!output.flattened.empty() || output.length_of.has_value()) {
      return InvalidArgument(fmt::format("the output {} is no embedding", Quote(name)));
    }
    if (output.shape.size() != 1 || output.number != graph_.calls.size()) {
      const OnnxNode last{.op = "Output", .inputs = {name}, .outputs = {name}};
      node_ = &last;
      FACEGATE_RETURN_IF_ERROR(Give(network::Flatten{}, output));
    }
    network::Description& description = result_.description;
    description.name = "network of an ONNX graph";
    description.outputs = values_[name].shape[0];
    description.layers = {{kGraphName, std::move(graph_)}};
    return OkStatus();
  }

  static constexpr char kGraphName[] = "graph";

  OnnxModel model_;
  const OnnxNode* node_ = nullptr;  // at hand
  std::map<std::string, GraphConstant, std::less<>> constants_;
  std::map<std::string, Value, std::less<>> values_;
  network::Graph graph_;
  bool normalised_ = false;
  GraphNetwork result_;
};

}  // namespace

StatusOr<GraphNetwork> DescribeGraph(OnnxModel model) {
  return GraphReader(std::move(model)).Read();
}

}  // namespace facegate
