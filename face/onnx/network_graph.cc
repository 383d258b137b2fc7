#include "face/onnx/network_graph.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "face/base/coding.h"
#include "face/network/shape_map.h"
#include "face/onnx/graph_parts.h"
#include "face/onnx/node_writer.h"
#include "face/onnx/older_opset.h"
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
using network::DropPath;
using network::DropTokens;
using network::Flatten;
using network::GlobalAverage;
using network::Graph;
using network::Join;
using network::Layer;
using network::LayerNorm;
using network::Linear;
using network::MaskToken;
using network::MaxPool;
using network::OblongConvolution;
using network::Pad;
using network::PixelShuffle;
using network::PositionEmbedding;
using network::PRelu;
using network::Relu;
using network::Residual;
using network::SelfAttention;
using network::Sides;
using network::Sigmoid;
using network::Subsample;
using network::Tokens;
using network::Window;

constexpr int64_t kIrVersion = 8;
constexpr int64_t kOpset = 13;

// Writes the nodes of layers.
class GraphWriter : private NodeWriter {
 public:
  GraphWriter(OnnxModel& model, int64_t channels) : NodeWriter(model), channels_(channels) {}

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
    Emit("Pad", name_, {value_, Whole("pads", {8}, {0, 0, top, left, 0, 0, bottom, right})});
  }
  void operator()(const ChannelAffine& layer) {
    const auto apply = [&](const char* tensor, const char* op) {
      if (IsMap()) model_.initializers.at(name_ + "." + tensor).shape = {layer.channels, 1, 1};
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
    if (IsMap() && layer.channels > 1) slope.shape = {layer.channels, 1, 1};
    Emit("PRelu", name_, {value_, Weight("weight")});
  }
  void operator()(const Relu& /*layer*/) { Emit("Relu", name_, {value_}); }
  void operator()(const Linear& layer) {
    if (extents_ == kTokens) {
      return Multiply(name_, Weight("weight"), layer.bias ? Weight("bias") : "");
    }
    std::vector<std::string> inputs = {value_, Weight("weight")};
    if (layer.bias) inputs.push_back(Weight("bias"));
    Emit("Gemm", name_, std::move(inputs), {{"transB", int64_t{1}}});
  }
  void operator()(const Dropout& /*layer*/) {}
  void operator()(const Flatten& /*layer*/) {
    Emit("Flatten", name_, {value_}, {{"axis", int64_t{1}}});
    extents_ = kList;
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
  void operator()(const PixelShuffle& layer) {
    Emit("DepthToSpace", name_, {value_},
         {{"blocksize", layer.factor}, {"mode", std::string("CRD")}});
  }
  void operator()(const Tokens& /*layer*/) {
    Reshape(name_ + "/places", "shape", {0, 0, -1});
    Transpose(name_, {0, 2, 1});
    extents_ = kTokens;
  }
  void operator()(const PositionEmbedding& /*layer*/) {
    Emit("Add", name_ + "/placed", {value_, Called(name_)});
  }
  void operator()(const LayerNorm& layer) {
    const std::map<std::string, OnnxAttribute, std::less<>> last = {
        {"axes", std::vector<int64_t>{-1}}, {"keepdims", int64_t{1}}};
    const std::string input = value_;
    Emit("ReduceMean", name_ + "/mean", {input}, last);
    Emit("Sub", name_ + "/centred", {input, value_});
    const std::string centred = value_;
    Emit("Mul", name_ + "/squares", {centred, centred});
    Emit("ReduceMean", name_ + "/variance", {value_}, last);
    Emit("Add", name_ + "/positive", {value_, Number("epsilon", layer.epsilon)});
    Emit("Sqrt", name_ + "/deviation", {value_});
    Emit("Div", name_ + "/normalised", {centred, value_});
    Emit("Mul", name_ + "/scaled", {value_, Weight("weight")});
    Emit("Add", name_, {value_, Weight("bias")});
  }
  // Queries, keys and values are cut out of what "qkv" gives.
  void operator()(const SelfAttention& layer) {
    const int64_t of_head = layer.channels / layer.heads;
    Multiply(name_ + "/qkv", Weight("qkv.weight"), layer.bias ? Weight("qkv.bias") : "");
    Reshape(name_ + "/parts", "parts", {0, 0, 3, layer.heads, of_head});
    const std::string parts = value_;
    const auto part = [&](const char* name, int64_t place, std::vector<int64_t> order) {
      Emit("Gather", fmt::format("{}/{}", name_, name), {parts, Whole(name, {}, {place})},
           {{"axis", int64_t{2}}});
      Transpose(fmt::format("{}/{}_of_heads", name_, name), std::move(order));
      return value_;
    };
    const std::string queries = part("queries", 0, {0, 2, 1, 3});
    const std::string keys = part("keys", 1, {0, 2, 3, 1});
    const std::string values = part("values", 2, {0, 2, 1, 3});
    Emit("MatMul", name_ + "/likeness", {queries, keys});
    const double scale = 1.0 / std::sqrt(static_cast<double>(of_head));
    Emit("Mul", name_ + "/likeness_scaled", {value_, Number("scale", scale)});
    Emit("Softmax", name_ + "/attention", {value_}, {{"axis", int64_t{-1}}});
    Emit("MatMul", name_ + "/heads", {value_, values});
    Transpose(name_ + "/tokens", {0, 2, 1, 3});
    Reshape(name_ + "/joined", "joined", {0, 0, layer.channels});
    Multiply(name_, Weight("proj.weight"), Weight("proj.bias"));
  }
  void operator()(const DropPath& /*layer*/) {}
  void operator()(const DropTokens& /*layer*/) {}
  void operator()(const MaskToken& /*layer*/) {}
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
    // What each call gives: its name, and how many extents it has.
    std::vector<std::pair<std::string, int>> values = {{value_, extents_}};
    for (const Call& call : graph.calls) {
      std::tie(value_, extents_) = values[call.inputs.front()];
      if (const auto* const layer = std::get_if<size_t>(&call.what)) {
        Follow({&graph.layers[*layer], 1}, prefix);
      } else {
        std::vector<std::string> inputs;
        for (const size_t input : call.inputs) {
          inputs.push_back(OverMap(values[input], values[call.inputs.front()].second == kMap));
        }
        const auto join = std::get<Join>(call.what);
        std::map<std::string, OnnxAttribute, std::less<>> attributes;
        if (join == Join::kConcat) attributes["axis"] = int64_t{1};
        Emit(std::string(kJoinOperators[static_cast<size_t>(join)]),
             fmt::format("{}join{}", prefix, values.size()), std::move(inputs),
             std::move(attributes));
      }
      values.emplace_back(value_, extents_);
    }
  }

  // A list that meets a map has extents of 1 behind its channels.
  std::string OverMap(const std::pair<std::string, int>& value, bool meets_map) {
    if (!meets_map || value.second == kMap) return value.first;
    Emit("Unsqueeze", value.first + "/map",
         {value.first, Constant("facegate.places", WholeTensor({2}, {2, 3}))});
    return value_;
  }

  // Divides the output by its Euclidean length.
  void Normalise() {
    const std::string raw = value_;
    Emit("ReduceL2", "facegate.length", {raw},
         {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{1}}});
    Emit("Div", "facegate.unit", {raw, value_});
  }

  // A map, or tokens, as a list.
  void Unroll() {
    if (extents_ != kList) Emit("Flatten", "facegate.list", {value_}, {{"axis", int64_t{1}}});
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
  // How many extents a value has besides its pictures.
  static constexpr int kList = 1;
  static constexpr int kTokens = 2;
  static constexpr int kMap = 3;

  bool IsMap() const { return extents_ == kMap; }
  static std::vector<int64_t> ListOf(const Sides& sides) { return {sides.height, sides.width}; }
  static std::map<std::string, OnnxAttribute, std::less<>> AttributesOf(const Window& window) {
    const auto& [top, left, bottom, right] = window.padding;
    return {{"kernel_shape", ListOf(window.kernel)},
            {"strides", ListOf(window.stride)},
            {"pads", std::vector<int64_t>{top, left, bottom, right}}};
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
  const int64_t channels_;  // of the input
  int extents_ = kMap;      // of the value at hand, besides its pictures
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
  FACEGATE_RETURN_IF_ERROR(CheckShapes(ShapesOf(description), tensors));
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
  WriteClipsForOpenCv(model);
  return model;
}

}  // namespace facegate
