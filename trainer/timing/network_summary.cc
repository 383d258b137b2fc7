#include "trainer/timing/network_summary.h"

#include <fmt/format.h>

#include <functional>
#include <numeric>
#include <utility>
#include <variant>

#include "face/network/architecture.h"
#include "face/network/output_shape.h"
#include "face/network/tensor_list.h"

namespace facegate {
namespace {

using network::Extents;

constexpr int64_t kMaxInputSide = 1024;  // pixels

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
    const int64_t places =
        std::accumulate(output.begin(), output.end(), int64_t{1}, std::multiplies<>());
    return {ConvType(shape), places * (shape.in / shape.groups) * shape.kernel * shape.kernel};
  }
  Kind operator()(const network::Linear& layer) const { return {"linear", layer.in * layer.out}; }
  // Its two convolutions see one place alone.
  Kind operator()(const network::ChannelGate& layer) const {
    return {"channel gate", 2 * layer.channels * (layer.channels / layer.reduction)};
  }
  Kind operator()(const network::BatchNorm& /*layer*/) const { return {"batch norm"}; }
  Kind operator()(const network::PRelu& /*layer*/) const { return {"PReLU"}; }
  Kind operator()(const network::Relu& /*layer*/) const { return {"ReLU"}; }
  Kind operator()(const network::Dropout& /*layer*/) const { return {"dropout"}; }
  Kind operator()(const network::Flatten& /*layer*/) const { return {"flatten"}; }
  Kind operator()(const network::Subsample& /*layer*/) const { return {"subsample"}; }
  Kind operator()(const network::Chain& /*group*/) const { return {"chain"}; }
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
    Kind kind = std::visit(KindOf{output}, layer.kind);
    const size_t place = rows_.size();
    rows_.push_back({.name = name,
                     .type = std::move(kind.type),
                     .depth = depth,
                     .group = chain != nullptr || residual != nullptr,
                     .output = output,
                     .parameters = network::CountParameters(network::TensorsOf(layer)),
                     .multiply_adds = kind.multiply_adds});
    if (chain != nullptr) FACEGATE_RETURN_IF_ERROR(EnterEach(name, chain->layers, input, depth));
    if (residual != nullptr) {
      FACEGATE_RETURN_IF_ERROR(EnterEach(name, residual->layers, input, depth));
      FACEGATE_RETURN_IF_ERROR(EnterEach(name, residual->shortcut, input, depth));
    }
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

  std::vector<LayerSummary>& rows_;
};

}  // namespace

StatusOr<NetworkSummary> SummarizeNetwork(std::string_view architecture, int64_t input_side) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description,
                            DescribeArchitecture(architecture));
  const network::Input& input = description.input;
  if (input_side < 1 || input_side > kMaxInputSide) {
    return InvalidArgument(
        fmt::format("the input is {} pixels wide, expected 1 to {}", input_side, kMaxInputSide));
  }
  NetworkSummary summary{.layers = {}, .input_side = input_side};
  const StatusOr<Extents> output = Walk(summary.layers)
                                       .Enter("", {"", network::Chain{description.layers}},
                                              {input.channels, input_side, input_side}, 0);
  if (!output.ok() || *output != Extents{description.outputs}) {
    return InvalidArgument(fmt::format(
        "the last layers of {} do not fit an input of {} x {} pixels; it is made for {} x {}",
        architecture, input_side, input_side, input.side, input.side));
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
