#include "trainer/timing/network_summary.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>
#include <utility>
#include <variant>

#include "face/network/output_shape.h"
#include "face/network/tensor_list.h"

namespace facegate {
namespace {

using network::Extents;

constexpr int64_t kMaxInputSide = 1024;  // pixels

int64_t PlacesOf(const Extents& output) {
  return std::accumulate(output.begin(), output.end(), int64_t{1}, std::multiplies<>());
}

std::string ConvType(const network::ConvShape& shape) {
  const std::string size = fmt::format("{}x{}", shape.kernel, shape.kernel);
  if (shape.groups == 1) return "conv " + size;
  if (shape.groups == shape.in) return "depthwise conv " + size;
  return fmt::format("conv {}, {} groups", size, shape.groups);
}

// A kind says what a layer is, in words, and has its own multiply-adds.
struct Kind {
  std::string type;
  int64_t multiply_adds = 0;
};

struct KindOf {
  Kind operator()(const network::Convolution& layer) const {
    const network::ConvShape& shape = layer.shape;
    return {ConvType(shape),
            PlacesOf(output) * (shape.in / shape.groups) * shape.kernel * shape.kernel};
  }
  Kind operator()(const network::Linear& layer) const {
    return {"linear", PlacesOf(output) * layer.in};
  }
  // Its two convolutions see one place alone.
  Kind operator()(const network::ChannelGate& layer) const {
    return {"channel gate", 2 * layer.channels * (layer.channels / layer.reduction)};
  }
  Kind operator()(const network::BatchNorm& /*layer*/) const { return {"batch norm"}; }
  Kind operator()(const network::PRelu& /*layer*/) const { return {"PReLU"}; }
  Kind operator()(const network::OblongConvolution& layer) const {
    const network::Sides& kernel = layer.window.kernel;
    return {fmt::format("{}conv {}x{}",
                        layer.groups > 1 && layer.groups == layer.in ? "depthwise " : "",
                        kernel.height, kernel.width),
            PlacesOf(output) * (layer.in / layer.groups) * kernel.height * kernel.width};
  }
  Kind operator()(const network::MaxPool& /*layer*/) const { return {"max pooling"}; }
  Kind operator()(const network::AveragePool& /*layer*/) const { return {"average pooling"}; }
  Kind operator()(const network::GlobalAverage& /*layer*/) const { return {"global average"}; }
  Kind operator()(const network::Pad& /*layer*/) const { return {"padding"}; }
  Kind operator()(const network::ChannelAffine& /*layer*/) const { return {"channel affine"}; }
  Kind operator()(const network::Clip& /*layer*/) const { return {"clip"}; }
  Kind operator()(const network::Sigmoid& /*layer*/) const { return {"sigmoid"}; }
  Kind operator()(const network::Relu& /*layer*/) const { return {"ReLU"}; }
  Kind operator()(const network::Dropout& /*layer*/) const { return {"dropout"}; }
  Kind operator()(const network::Flatten& /*layer*/) const { return {"flatten"}; }
  Kind operator()(const network::Subsample& /*layer*/) const { return {"subsample"}; }
  Kind operator()(const network::PixelShuffle& /*layer*/) const { return {"pixel shuffle"}; }
  Kind operator()(const network::Tokens& /*layer*/) const { return {"tokens"}; }
  Kind operator()(const network::PositionEmbedding& /*layer*/) const {
    return {"position embedding"};
  }
  Kind operator()(const network::LayerNorm& /*layer*/) const { return {"layer norm"}; }
  // Its two linear layers, the likeness of each token to each, and the sums that follow from it.
  Kind operator()(const network::SelfAttention& layer) const {
    return {fmt::format("self attention, {} heads", layer.heads),
            PlacesOf(output) * (4 * layer.channels + 2 * output.front())};
  }
  Kind operator()(const network::DropPath& /*layer*/) const { return {"drop path"}; }
  Kind operator()(const network::DropTokens& /*layer*/) const { return {"drop tokens"}; }
  Kind operator()(const network::MaskToken& /*layer*/) const { return {"mask token"}; }
  Kind operator()(const network::Chain& /*group*/) const { return {"chain"}; }
  Kind operator()(const network::Graph& /*group*/) const { return {"graph"}; }
  Kind operator()(const network::Residual& /*group*/) const { return {"residual"}; }

  const Extents& output;
};

// Follows a picture through a network, layer by layer, and writes down what comes out of each.
class Walk {
 public:
  explicit Walk(std::vector<LayerSummary>& rows) : rows_(rows) {}

  StatusOr<Extents> Enter(const std::string& name, const network::Layer& layer,
                          const Extents& input, int depth) {
    FACEGATE_ASSIGN_OR_RETURN(Extents output, network::OutputOf(layer.kind, input));
    const auto* const chain = std::get_if<network::Chain>(&layer.kind);
    const auto* const residual = std::get_if<network::Residual>(&layer.kind);
    const auto* const graph = std::get_if<network::Graph>(&layer.kind);
    Kind kind = std::visit(KindOf{output}, layer.kind);
    const size_t place = rows_.size();
    rows_.push_back({.name = name,
                     .type = std::move(kind.type),
                     .depth = depth,
                     .group = chain != nullptr || residual != nullptr || graph != nullptr,
                     .output = output,
                     .parameters = network::CountParameters(network::TensorsOf(layer)),
                     .multiply_adds = kind.multiply_adds});
    if (chain != nullptr) FACEGATE_RETURN_IF_ERROR(EnterEach(name, chain->layers, input, depth));
    if (residual != nullptr) {
      FACEGATE_RETURN_IF_ERROR(EnterEach(name, residual->layers, input, depth));
      FACEGATE_RETURN_IF_ERROR(EnterEach(name, residual->shortcut, input, depth));
    }
    if (graph != nullptr) FACEGATE_RETURN_IF_ERROR(EnterCalls(name, *graph, input, depth));
    if (!rows_[place].group) return output;
    for (size_t i = place + 1; i < rows_.size(); ++i) {
      if (!rows_[i].group) rows_[place].multiply_adds += rows_[i].multiply_adds;
    }
    return output;
  }

 private:
  // Enters the layers of the group of that name and depth.
  Status EnterEach(const std::string& group, const std::vector<network::Layer>& layers,
                   Extents value, int depth) {
    for (const network::Layer& layer : layers) {
      const std::string name = group.empty() ? layer.name : group + "." + layer.name;
      FACEGATE_ASSIGN_OR_RETURN(value, Enter(name, layer, value, depth + 1));
    }
    return OkStatus();
  }

  // A layer that is called twice has two rows.
  Status EnterCalls(const std::string& group, const network::Graph& graph, const Extents& input,
                    int depth) {
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<Extents> values, network::ValuesOf(graph, input));
    for (const network::Call& call : graph.calls) {
      const auto* const number = std::get_if<size_t>(&call.what);
      if (number == nullptr) continue;
      const network::Layer& layer = graph.layers[*number];
      FACEGATE_RETURN_IF_ERROR(Enter(group.empty() ? layer.name : group + "." + layer.name, layer,
                                     values[call.inputs.front()], depth + 1)
                                   .status());
    }
    return OkStatus();
  }

  std::vector<LayerSummary>& rows_;
};

}  // namespace

StatusOr<NetworkSummary> SummarizeNetwork(const network::Description& description,
                                          std::optional<network::Sides> sides) {
  const network::Input& input = description.input;
  const network::Sides taken = sides.value_or(network::Sides{input.height, input.width});
  for (const int64_t side : {taken.height, taken.width}) {
    if (side >= 1 && side <= kMaxInputSide) continue;
    return InvalidArgument(
        fmt::format("the input is {} pixels wide, expected 1 to {}", side, kMaxInputSide));
  }
  NetworkSummary summary{
      .layers = {},
      .input = {.channels = input.channels, .height = taken.height, .width = taken.width}};
  const StatusOr<Extents> output = Walk(summary.layers)
                                       .Enter("", {"", network::Chain{description.layers}},
                                              {input.channels, taken.height, taken.width}, 0);
  if (!output.ok() || *output != Extents{description.outputs}) {
    return InvalidArgument(fmt::format(
        "the last layers of {} do not fit an input of {} x {} pixels; it is made for {} x {}",
        description.name, taken.width, taken.height, input.width, input.height));
  }
  summary.parameters = summary.layers.front().parameters;
  summary.multiply_adds = summary.layers.front().multiply_adds;
  return summary;
}

std::vector<LayerSummary> LayersAtDepth(const NetworkSummary& network, int depth) {
  std::vector<LayerSummary> rows;
  for (const LayerSummary& layer : network.layers) {
    if (layer.group ? layer.depth == depth : layer.depth <= depth) rows.push_back(layer);
  }
  return rows;
}

std::vector<LayerSummary> SingleLayers(const NetworkSummary& network) {
  std::vector<LayerSummary> rows;
  for (const LayerSummary& layer : network.layers) {
    if (!layer.group) rows.push_back(layer);
  }
  return rows;
}

}  // namespace facegate
