#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "face/network/description_json.h"
#include "face/network/layer_fields.h"
#include "face/onnx/graph_follower.h"
#include "face/onnx/graph_parts.h"
#include "face/weights/quote.h"

namespace facegate::onnx_graph {
namespace {

using network::Extents;
using network::LayerKind;

constexpr int64_t kUsualSide = 112;           // pixels, where the graph leaves it open
constexpr size_t kCopies = 4;                 // of a model's numbers
constexpr size_t kSmallCopies = 1 << 24;      // numbers that come to that
constexpr double kLeastUnitScale = 1 / 16.0;  // of a product that is made for pixels of 0 to 1

std::string Lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char letter) {
    return static_cast<char>(letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter);
  });
  return text;
}

size_t NumbersIn(const OnnxModel& model) {
  size_t numbers = 0;
  const auto count = [&numbers](const Tensor& tensor) {
    numbers += tensor.bytes.size() / SizeOf(tensor.dtype);
  };
  for (const auto& [name, tensor] : model.initializers) count(tensor);
  for (const OnnxNode& node : model.nodes) {
    for (const auto& [name, value] : node.attributes) {
      if (const auto* const tensor = std::get_if<Tensor>(&value)) count(*tensor);
    }
  }
  return numbers;
}

// The largest of the pixels that x · scale + shift prepares: 255, or 1. They become numbers of a
// few units around zero.
double LargestPixel(const network::ChannelScale& preparation) {
  double centre = 0.0;  // the pixel that becomes zero
  double factor = 0.0;
  for (size_t c = 0; c < preparation.channels(); ++c) {
    if (preparation.scale[c] == 0.0) continue;
    centre = std::max(centre, -preparation.shift[c] / preparation.scale[c]);
    factor = std::max(factor, std::abs(preparation.scale[c]));
  }
  if (centre > 0.0) return centre > 1.0 ? 255.0 : 1.0;
  return factor < kLeastUnitScale ? 255.0 : 1.0;
}

}  // namespace

StatusOr<GraphNetwork> GraphReader::Read() {
  FACEGATE_RETURN_IF_ERROR(TakeInput());
  budget_ = kCopies * NumbersIn(model_) + kSmallCopies;
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

std::string GraphReader::Where() const {
  return fmt::format("operator {} (node {})", node_->op, Quote(node_->name));
}

Status GraphReader::Unread(std::string_view what) {
  return InvalidArgument(fmt::format("{}, which is not read", what));
}

Status GraphReader::Spend(size_t numbers) {
  if (numbers > budget_) return Unread("makes more copies of the model's numbers than networks do");
  budget_ -= numbers;
  return OkStatus();
}

std::set<std::string> GraphReader::NeededFor(const std::string& output) const {
  std::set<std::string> needed = {output};
  for (auto node = model_.nodes.rbegin(); node != model_.nodes.rend(); ++node) {
    const bool gives = std::any_of(node->outputs.begin(), node->outputs.end(),
                                   [&](const std::string& one) { return needed.contains(one); });
    if (gives) needed.insert(node->inputs.begin(), node->inputs.end());
  }
  return needed;
}

Status GraphReader::TakeInput() {
  if (model_.inputs.empty()) return InvalidArgument("the graph has no input");
  const OnnxValue& input = model_.inputs.front();
  const auto& shape = input.shape;
  if (!shape.has_value() || shape->size() != 4) {
    return InvalidArgument(fmt::format("the input {} is not N·C·H·W", Quote(input.name)));
  }
  if (const auto* const pictures = std::get_if<int64_t>(&shape->front());
      pictures != nullptr && *pictures > 1) {
    return InvalidArgument(fmt::format("the input {} is of {} pictures at once, expected 1 or any",
                                       Quote(input.name), *pictures));
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
  result_.open_sides = taken.height == 0 || taken.width == 0;
  const network::Sides sides = open_.value_or(network::Sides{kUsualSide, kUsualSide});
  if (taken.height == 0) taken.height = sides.height;
  if (taken.width == 0) taken.width = sides.width;
  if (std::max(taken.height, taken.width) > network::kMaxSide) {
    return InvalidArgument(fmt::format("the input {} is of {}x{} pixels, limit is {}",
                                       Quote(input.name), taken.width, taken.height,
                                       network::kMaxSide));
  }
  const auto channels = static_cast<size_t>(taken.channels);
  preparation_ = {.scale = std::vector<double>(channels, 1.0),
                  .shift = std::vector<double>(channels, 0.0)};
  values_[input.name] = {.shape = {taken.channels, taken.height, taken.width},
                         .channels_last = last};
  return OkStatus();
}

StatusOr<const GraphConstant*> GraphReader::Constant(const std::string& name) {
  if (const auto known = constants_.find(name); known != constants_.end()) return &known->second;
  const auto tensor = model_.initializers.extract(name);
  if (tensor.empty()) return nullptr;
  FACEGATE_ASSIGN_OR_RETURN(GraphConstant constant, ConstantOf(tensor.mapped()));
  return &(constants_[name] = std::move(constant));
}

StatusOr<std::optional<std::vector<int64_t>>> GraphReader::Axes(size_t input) {
  if (!Has(input)) return IntegersOf(*node_, "axes");
  FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const given, Constant(node_->inputs[input]));
  if (given == nullptr || !given->whole) return Unread("has axes that are not constant");
  return std::optional(given->wholes);
}

StatusOr<const GraphConstant*> GraphReader::Weights(size_t input) {
  if (input < node_->inputs.size()) {
    FACEGATE_ASSIGN_OR_RETURN(const GraphConstant* const constant, Constant(node_->inputs[input]));
    if (constant != nullptr && !constant->whole) return constant;
  }
  return Unread(fmt::format("has no constant as input {}", input));
}

bool GraphReader::Has(size_t input) const {
  return input < node_->inputs.size() && !node_->inputs[input].empty();
}

StatusOr<Value> GraphReader::Any(size_t input) const {
  if (Has(input)) {
    const auto found = values_.find(node_->inputs[input]);
    if (found != values_.end()) return found->second;
  }
  return Unread(fmt::format("has input {} from nowhere", input));
}

StatusOr<Value> GraphReader::Data(size_t input) const {
  FACEGATE_ASSIGN_OR_RETURN(Value value, Any(input));
  if (!value.length_of.has_value()) return value;
  return Unread("takes the length of an embedding");
}

StatusOr<Value> GraphReader::Map(size_t input) const {
  FACEGATE_ASSIGN_OR_RETURN(Value value, Data(input));
  if (value.shape.size() == 3 && !value.channels_last) return value;
  return Unread(fmt::format("takes the shape {}{}", ShapeText(value.shape),
                            value.channels_last ? " with channels last" : ""));
}

StatusOr<Value> GraphReader::List(size_t input) const {
  FACEGATE_ASSIGN_OR_RETURN(Value value, Data(input));
  if (value.shape.size() == 1 && value.ones == 0) return value;
  return Unread(fmt::format("takes the shape {}", ShapeText(OnnxShape(value))));
}

std::vector<int64_t> GraphReader::OnnxShape(const Value& value) {
  std::vector<int64_t> shape = {1};
  shape.insert(shape.end(), value.shape.begin(), value.shape.end());
  shape.resize(shape.size() + value.ones, 1);
  if (value.channels_last) std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  return shape;
}

Status GraphReader::Give(LayerKind kind, const Value& input, const LayerTensors& tensors) {
  FACEGATE_ASSIGN_OR_RETURN(Extents output, network::OutputOf(kind, input.shape));
  network::Graph& graph = graph_;
  const std::string name = fmt::format("{}{}", Lowered(node_->op), graph.layers.size());
  for (const auto& [tensor, value] : tensors) {
    FACEGATE_RETURN_IF_ERROR(Spend(value.bytes.size() / sizeof(float)));
    result_.tensors.emplace(fmt::format("{}.{}.{}", kGraphName, name, tensor), value);
  }
  graph.layers.push_back({name, std::move(kind)});
  return GiveCall({graph.layers.size() - 1, {input.number}}, std::move(output));
}

Status GraphReader::GiveInOrder(LayerKind kind, const Value& input, const LayerTensors& tensors) {
  FACEGATE_RETURN_IF_ERROR(Give(std::move(kind), input, tensors));
  Value& output = values_[node_->outputs.front()];
  output.channels_last = input.channels_last;
  output.ones = input.ones;
  output.flattened = input.flattened;
  return OkStatus();
}

Status GraphReader::GiveCall(network::Call call, Extents shape) {
  if (normalised_) return Unread("follows the normalised embedding");
  graph_.calls.push_back(std::move(call));
  values_[node_->outputs.front()] = {.number = graph_.calls.size(), .shape = std::move(shape)};
  return OkStatus();
}

Status GraphReader::GiveSame(const Value& value) {
  values_[node_->outputs.front()] = value;
  return OkStatus();
}

Status GraphReader::GiveList(const Value& value, size_t ones) {
  const bool list = value.shape.size() == 1;
  FACEGATE_RETURN_IF_ERROR(list ? GiveSame(value) : Give(network::Flatten{}, value));
  Value& output = values_[node_->outputs.front()];
  output.ones = ones;
  if (!list && value.channels_last && value.shape[1] * value.shape[2] > 1) {
    output.flattened = value.shape;
  }
  return OkStatus();
}

Status GraphReader::Follow() {
  if (!node_->domain.empty() && node_->domain != "ai.onnx") {
    return Unread("is of the domain " + Quote(node_->domain));
  }
  std::vector<const GraphConstant*> constants;
  bool all = true;
  size_t taken = 0;  // numbers of the constants
  for (const std::string& input : node_->inputs) {
    const GraphConstant* constant = nullptr;
    // Weights are large, and asked for where they are read.
    if (!input.empty() && !values_.contains(input)) {
      FACEGATE_ASSIGN_OR_RETURN(constant, Constant(input));
      if (constant == nullptr) return Unread("has the input " + Quote(input) + " from nowhere");
    }
    all = all && (input.empty() || constant != nullptr);
    if (constant != nullptr && node_->op != "Shape") taken += constant->size();
    constants.push_back(constant);
  }
  if (!all) return FollowData();
  FACEGATE_RETURN_IF_ERROR(Spend(taken));
  FACEGATE_ASSIGN_OR_RETURN(GraphConstant folded, FoldNode(*node_, constants));
  FACEGATE_RETURN_IF_ERROR(Spend(folded.size() - std::min(taken, folded.size())));
  constants_[node_->outputs.front()] = std::move(folded);
  return OkStatus();
}

Status GraphReader::FollowData() {
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
      {"Squeeze", &GraphReader::Squeeze},
      {"Unsqueeze", &GraphReader::Unsqueeze},
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
      {"Cast", &GraphReader::Cast},
  };
  const auto handler = handlers.find(node_->op);
  if (handler == handlers.end()) return Unread("is another operator than those known here");
  return (this->*handler->second)();
}

Status GraphReader::Finish(const std::string& name) {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    return InvalidArgument(fmt::format("the output {} does not depend on the input", Quote(name)));
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
  description.name = kGraphNetwork;
  description.outputs = values_[name].shape[0];
  description.layers = {{kGraphName, std::move(graph_)}};
  if (prepares_) result_.largest_pixel = LargestPixel(preparation_);
  return DescriptionFromJson(DescriptionToJson(description)).status();
}

}  // namespace facegate::onnx_graph

namespace facegate {

StatusOr<GraphNetwork> DescribeGraph(OnnxModel model, std::optional<network::Sides> open) {
  return onnx_graph::GraphReader(std::move(model), open).Read();
}

}  // namespace facegate
