#include "face/onnx/network_graph.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "face/base/coding.h"
#include "face/network/shape_map.h"
#include "face/onnx/graph_parts.h"
#include "face/onnx/onnx_state_dict.h"
#include "face/weights/json_number.h"

namespace facegate {
namespace {

using network::AveragePool;
using network::BatchNorm;
using network::Borders;
using network::Call;
using network::Chain;
using network::ChannelAffine;
using network::ChannelGate;
using network::Clip;
using network::Convolution;
using network::ConvShape;
using network::Description;
using network::Dropout;
using network::Flatten;
using network::GlobalAverage;
using network::Graph;
using network::Join;
using network::Layer;
using network::Linear;
using network::MaxPool;
using network::OblongConvolution;
using network::Pad;
using network::PRelu;
using network::Relu;
using network::Residual;
using network::Sides;
using network::Sigmoid;
using network::Subsample;
using network::Window;

constexpr int64_t kIrVersion = 8;
constexpr int64_t kOpset = 13;

// Writes the nodes of layers. A value is called as the layer that gives it.
class GraphWriter {
 public:
  GraphWriter(OnnxModel& model, int64_t channels) : model_(model), channels_(channels) {}

  // Puts (pixel - mean) * scale in front of the network.
  void Prepare(const Preprocessing& preprocessing, bool bytes) {
    if (bytes) {
      Emit("Cast", "facegate.pixels", {value_}, {{"to", kOnnxFloat}});
    }
    if (preprocessing.colour_order == ColourOrder::kBgr) {
      // A convolution by zeros and ones: every runtime has it, and it is exact.
      constexpr std::array<float, 9> kReversed = {0, 0, 1, 0, 1, 0, 1, 0, 0};
      Emit("Conv", "facegate.bgr",
           {value_, Constant("facegate.reversed", FloatTensor({3, 3, 1, 1}, kReversed))},
           {{"kernel_shape", std::vector<int64_t>{1, 1}}});
    }
    const auto of_channels = [&](const std::array<float, 3>& numbers) {
      return FloatTensor({1, channels_, 1, 1},
                         std::span(numbers).first(static_cast<size_t>(channels_)));
    };
    Emit("Sub", "facegate.centred",
         {value_, Constant("facegate.mean", of_channels(preprocessing.mean))});
    Emit("Mul", "facegate.prepared",
         {value_, Constant("facegate.scale", of_channels(preprocessing.scale))});
  }

  // By value: `prefix` is name_ itself within chains.
  void Follow(std::span<const Layer> layers, std::string prefix) {  // NOLINT
    for (const Layer& layer : layers) {
      const std::string outer = std::exchange(name_, prefix + layer.name);
      std::visit(*this, layer.kind);
      name_ = outer;
    }
  }

  void operator()(const Convolution& layer) {
    Convolve(name_, layer.shape, Weight("weight"), layer.bias ? Weight("bias") : "");
  }
  void operator()(const OblongConvolution& layer) {
    std::vector<std::string> inputs = {value_, Weight("weight")};
    if (layer.bias) inputs.push_back(Weight("bias"));
    auto attributes = AttributesOf(layer.window);
    attributes["dilations"] = ListOf(layer.window.dilation);
    attributes["group"] = layer.groups;
    Emit("Conv", name_, std::move(inputs), std::move(attributes));
  }
  void operator()(const MaxPool& layer) {
    auto attributes = AttributesOf(layer.window);
    if (layer.window.dilation != Sides{}) attributes["dilations"] = ListOf(layer.window.dilation);
    Emit("MaxPool", name_, {value_}, std::move(attributes));
  }
  void operator()(const AveragePool& layer) {
    auto attributes = AttributesOf(layer.window);
    attributes["count_include_pad"] = int64_t{layer.count_padding ? 1 : 0};
    Emit("AveragePool", name_, {value_}, std::move(attributes));
  }
  void operator()(const GlobalAverage& /*layer*/) { Emit("GlobalAveragePool", name_, {value_}); }
  void operator()(const Pad& layer) {
    const auto& [top, left, bottom, right] = layer.borders;
    Tensor pads{.dtype = DType::kI64, .shape = {8}, .bytes = {}};
    for (const int64_t pad :
         {int64_t{0}, int64_t{0}, top, left, int64_t{0}, int64_t{0}, bottom, right}) {
      AppendLittleEndian(pads.bytes, static_cast<uint64_t>(pad));
    }
    Emit("Pad", name_, {value_, Constant(OwnName("pads"), std::move(pads))});
  }
  void operator()(const ChannelAffine& layer) {
    const auto apply = [&](const char* tensor, const char* op) {
      if (map_) model_.initializers.at(name_ + "." + tensor).shape = {layer.channels, 1, 1};
      Emit(op, name_, {value_, Weight(tensor)});
    };
    if (layer.weight) apply("weight", "Mul");
    if (layer.bias) apply("bias", "Add");
  }
  void operator()(const Clip& layer) {
    const std::array<float, 2> limits = {static_cast<float>(layer.low),
                                         static_cast<float>(layer.high)};
    Emit("Clip", name_,
         {value_, Constant(OwnName("low"), FloatTensor({}, std::span(limits).first(1))),
          Constant(OwnName("high"), FloatTensor({}, std::span(limits).last(1)))});
  }
  void operator()(const Sigmoid& /*layer*/) { Emit("Sigmoid", name_, {value_}); }
  void operator()(const BatchNorm& layer) {
    const auto scale = [&](const char* tensor, float value) {
      if (layer.affine) return Weight(tensor);
      const std::vector<float> values(static_cast<size_t>(layer.channels), value);
      return Constant(OwnName(tensor), FloatTensor({layer.channels}, values));
    };
    Emit("BatchNormalization", name_,
         {value_, scale("weight", 1.0F), scale("bias", 0.0F), Weight("running_mean"),
          Weight("running_var")},
         {{"epsilon", static_cast<float>(layer.epsilon)}});
  }
  void operator()(const PRelu& layer) {
    Tensor& slope = model_.initializers.at(name_ + ".weight");
    if (map_ && layer.channels > 1) slope.shape = {layer.channels, 1, 1};
    Emit("PRelu", name_, {value_, Weight("weight")});
  }
  void operator()(const Relu& /*layer*/) { Emit("Relu", name_, {value_}); }
  void operator()(const Linear& layer) {
    std::vector<std::string> inputs = {value_, Weight("weight")};
    if (layer.bias) inputs.push_back(Weight("bias"));
    Emit("Gemm", name_, std::move(inputs), {{"transB", int64_t{1}}});
  }
  void operator()(const Dropout& /*layer*/) {}
  void operator()(const Flatten& /*layer*/) {
    Emit("Flatten", name_, {value_}, {{"axis", int64_t{1}}});
    map_ = false;
  }
  void operator()(const Subsample& layer) {
    if (layer.stride == 1) return;
    Emit("MaxPool", name_, {value_},
         {{"kernel_shape", std::vector<int64_t>{1, 1}},
          {"strides", std::vector<int64_t>{layer.stride, layer.stride}}});
  }
  void operator()(const ChannelGate& layer) {
    const std::string input = value_;
    const int64_t squeezed = layer.channels / layer.reduction;
    Emit("GlobalAveragePool", name_ + "/mean", {input});
    Convolve(name_ + "/fc1", {.in = layer.channels, .out = squeezed}, Weight("fc1.weight"), "");
    Emit("Relu", name_ + "/relu", {value_});
    Convolve(name_ + "/fc2", {.in = squeezed, .out = layer.channels}, Weight("fc2.weight"), "");
    Emit("Sigmoid", name_ + "/gate", {value_});
    Emit("Mul", name_, {input, value_});
  }
  void operator()(const Chain& chain) { Follow(chain.layers, name_ + "."); }
  void operator()(const Residual& residual) {
    const std::string input = value_;
    Follow(residual.layers, name_ + ".");
    const std::string output = std::exchange(value_, input);
    Follow(residual.shortcut, name_ + ".");
    Emit("Add", name_, {output, value_});
  }

  void operator()(const Graph& graph) {
    const std::string prefix = name_ + ".";
    // What each call gives: its name, and whether it is a map.
    std::vector<std::pair<std::string, bool>> values = {{value_, map_}};
    for (const Call& call : graph.calls) {
      std::tie(value_, map_) = values[call.inputs.front()];
      if (const auto* const layer = std::get_if<size_t>(&call.what)) {
        Follow({&graph.layers[*layer], 1}, prefix);
      } else {
        std::vector<std::string> inputs;
        for (const size_t input : call.inputs) {
          inputs.push_back(OverMap(values[input], values[call.inputs.front()].second));
        }
        const auto join = std::get<Join>(call.what);
        std::map<std::string, OnnxAttribute, std::less<>> attributes;
        if (join == Join::kConcat) attributes["axis"] = int64_t{1};
        Emit(std::string(kJoinOperators[static_cast<size_t>(join)]),
             fmt::format("{}join{}", prefix, values.size()), std::move(inputs),
             std::move(attributes));
      }
      values.emplace_back(value_, map_);
    }
  }

  // A list that meets a map has extents of 1 behind its channels.
  std::string OverMap(const std::pair<std::string, bool>& value, bool meets_map) {
    if (!meets_map || value.second) return value.first;
    Tensor axes{.dtype = DType::kI64, .shape = {2}, .bytes = {}};
    for (const uint64_t axis : {uint64_t{2}, uint64_t{3}}) AppendLittleEndian(axes.bytes, axis);
    Emit("Unsqueeze", value.first + "/map",
         {value.first, Constant("facegate.places", std::move(axes))});
    return value_;
  }

  // Divides the output by its Euclidean length.
  void Normalise() {
    const std::string raw = value_;
    Emit("ReduceL2", "facegate.length", {raw},
         {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{1}}});
    Emit("Div", "facegate.unit", {raw, value_});
  }

  // A map as a list.
  void Unroll() {
    if (map_) Emit("Flatten", "facegate.list", {value_}, {{"axis", int64_t{1}}});
  }

  // Calls the output of the last node as the graph's is called. Where the network gives what an
  // earlier node made, others may read that.
  void Finish() {
    if (model_.nodes.empty() || model_.nodes.back().outputs.front() != value_) {
      Emit("Identity", "facegate.output", {value_});
    }
    model_.nodes.back().outputs = {std::string(kOnnxOutput)};
  }

 private:
  static std::vector<int64_t> ListOf(const Sides& sides) { return {sides.height, sides.width}; }
  static std::map<std::string, OnnxAttribute, std::less<>> AttributesOf(const Window& window) {
    const auto& [top, left, bottom, right] = window.padding;
    return {{"kernel_shape", ListOf(window.kernel)},
            {"strides", ListOf(window.stride)},
            {"pads", std::vector<int64_t>{top, left, bottom, right}}};
  }
  // The name of a constant of the layer at hand that is none of its weights.
  std::string OwnName(const char* constant) const {
    return fmt::format("{}{}.{}", kGraphPrefix, name_, constant);
  }

  // A layer that is called twice gives values of two names.
  void Emit(std::string op, const std::string& name, std::vector<std::string> inputs,
            std::map<std::string, OnnxAttribute, std::less<>> attributes = {}) {
    // The graph's own input and output have names that no layer takes from them.
    const bool taken = name == kOnnxInput || name == kOnnxOutput;
    value_ = taken ? name + "/value" : name;
    while (!emitted_.insert(value_).second) value_ += "'";
    model_.nodes.push_back({.op = std::move(op),
                            .name = value_,
                            .inputs = std::move(inputs),
                            .outputs = {value_},
                            .attributes = std::move(attributes)});
  }
  void Convolve(const std::string& name, const ConvShape& shape, std::string weight,
                std::string bias) {
    std::vector<std::string> inputs = {value_, std::move(weight)};
    if (!bias.empty()) inputs.push_back(std::move(bias));
    Emit("Conv", name, std::move(inputs),
         {{"kernel_shape", std::vector<int64_t>(2, shape.kernel)},
          {"strides", std::vector<int64_t>(2, shape.stride)},
          {"pads", std::vector<int64_t>(4, shape.padding)},
          {"group", shape.groups}});
  }
  std::string Constant(const std::string& name, Tensor&& tensor) {
    model_.initializers.try_emplace(name, std::move(tensor));
    return name;
  }
  // The value of a tensor of the layer at hand as numbers of 32 bits.
  std::string Weight(std::string_view tensor) {
    std::string name = fmt::format("{}.{}", name_, tensor);
    if (model_.initializers.at(name).dtype == DType::kF32) return name;
    std::string whole = name + "/float";
    if (!emitted_.insert(whole).second) return whole;
    model_.nodes.push_back({.op = "Cast",
                            .name = whole,
                            .inputs = {std::move(name)},
                            .outputs = {whole},
                            .attributes = {{"to", kOnnxFloat}}});
    return whole;
  }

  static constexpr int64_t kOnnxFloat = 1;  // TensorProto.FLOAT

  OnnxModel& model_;
  const int64_t channels_;         // of the input
  std::set<std::string> emitted_;  // names of values
  std::string name_;               // of the layer at hand
  std::string value_{kOnnxInput};  // that the next layer takes
  bool map_ = true;                // the value is N·C·H·W; else N numbers
};

std::string NumbersText(const std::array<float, 3>& numbers) {
  return fmt::format("{} {} {}", JsonNumber(numbers[0]), JsonNumber(numbers[1]),
                     JsonNumber(numbers[2]));
}

std::string_view ColoursText(ColourOrder order) {
  constexpr std::array<std::string_view, 3> kTexts = {"R G B", "B G R", "grey"};  // by number
  return kTexts[static_cast<size_t>(order)];
}

std::string InputText(const NetworkGraphOptions& options) {
  const Preprocessing& preprocessing = options.preprocessing;
  const std::string crops =
      fmt::format("crops of {}", std::string(AlignmentName(preprocessing.alignment)));
  if (options.pixels != OnnxPixels::kNone) {
    const bool grey = preprocessing.colour_order == ColourOrder::kGrey;
    return fmt::format("{}, {}, pixels 0..255", crops, grey ? "grey" : "R G B");
  }
  return fmt::format("{}, {}, (pixel - mean) * scale, mean {}, scale {}", crops,
                     ColoursText(preprocessing.colour_order), NumbersText(preprocessing.mean),
                     NumbersText(preprocessing.scale));
}

}  // namespace

StatusOr<OnnxModel> MakeNetworkGraph(const Description& description, TensorMap tensors,
                                     const NetworkGraphOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckTensors(tensors));
  const ShapeDifference difference = CompareShapes(ShapesOf(description), tensors);
  if (difference.count > 0) {
    return InvalidArgument(fmt::format("{} tensors are not those of {}: {}", difference.count,
                                       description.name, difference.first.front()));
  }
  OnnxModel model{.ir_version = kIrVersion,
                  .opsets = {{"", kOpset}},
                  .producer = "facegate",
                  .name = description.name};
  FitTensors(options.keep_half, tensors, model.metadata);
  model.metadata[kInputKey] = InputText(options);
  model.metadata[kOutputKey] = options.normalise ? "of length 1" : "not normalised";
  model.initializers = std::move(tensors);
  const auto& [channels, height, width] = description.input;
  const bool bytes = options.pixels == OnnxPixels::kUint8;
  model.inputs = {{.name = std::string(kOnnxInput),
                   .dtype = bytes ? DType::kU8 : DType::kF32,
                   .shape = {{"N", channels, height, width}}}};
  model.outputs = {{.name = std::string(kOnnxOutput),
                    .dtype = DType::kF32,
                    .shape = {{"N", description.outputs}}}};
  GraphWriter writer(model, channels);
  if (options.pixels != OnnxPixels::kNone) writer.Prepare(options.preprocessing, bytes);
  writer.Follow(description.layers, "");
  writer.Unroll();
  if (options.normalise) writer.Normalise();
  writer.Finish();
  return model;
}

}  // namespace facegate
