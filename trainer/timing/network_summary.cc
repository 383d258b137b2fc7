#include "trainer/timing/network_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "face/base/catch.h"
#include "face/network/architecture.h"
#include "face/torch/backbone.h"

namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

constexpr int64_t kMaxInputSide = 1024;  // pixels

// State dicts call the branch of a residual unit that is no part of its chain by these names.
constexpr std::array<std::string_view, 2> kShortcuts = {"downsample", "shortcut_layer"};

bool IsShortcut(std::string_view name) {
  return std::find(kShortcuts.begin(), kShortcuts.end(), name) != kShortcuts.end();
}

int64_t ParametersOf(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const TorchTensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

std::string ConvType(const TorchTensor& weight, int64_t channels) {
  const std::string size = fmt::format("{}x{}", weight.size(2), weight.size(3));
  if (weight.size(1) == channels) return "conv " + size;
  if (weight.size(1) == 1) return "depthwise conv " + size;
  return fmt::format("conv {}, {} groups", size, channels / weight.size(1));
}

// Runs the layers of a network one by one and writes down what comes out of each.
class Walk {
 public:
  explicit Walk(std::vector<LayerSummary>& layers) : layers_(layers) {}

  TorchTensor Enter(const std::string& name, Layer& layer, const TorchTensor& input, int depth) {
    auto* const chain = dynamic_cast<Chain*>(&layer);
    const size_t place = layers_.size();
    layers_.push_back({.name = name,
                       .type = {},
                       .depth = depth,
                       .group = chain != nullptr,
                       .output = {},
                       .parameters = ParametersOf(layer)});
    const TorchTensor output =
        chain != nullptr ? EnterChain(name, *chain, input, depth) : layer.forward(input);
    LayerSummary& row = layers_[place];
    row.output.assign(output.sizes().begin() + 1, output.sizes().end());
    if (chain != nullptr) {
      row.type = dynamic_cast<Residual*>(chain) != nullptr ? "residual" : "chain";
      for (size_t i = place + 1; i < layers_.size(); ++i) {
        if (!layers_[i].group) row.multiply_adds += layers_[i].multiply_adds;
      }
    } else {
      Describe(layer, input, output, row);
    }
    return output;
  }

 private:
  TorchTensor EnterChain(const std::string& name, Chain& chain, const TorchTensor& input,
                         int depth) {
    TorchTensor value = input;
    TorchTensor shortcut = input;
    for (const auto& child : chain.named_children()) {
      auto* const layer = dynamic_cast<Layer*>(child.value().get());
      TORCH_CHECK(layer != nullptr, "a part of the chain is not a layer");
      const std::string child_name = name.empty() ? child.key() : name + "." + child.key();
      TorchTensor& branch = IsShortcut(child.key()) ? shortcut : value;
      branch = Enter(child_name, *layer, branch, depth + 1);
    }
    if (dynamic_cast<Residual*>(&chain) == nullptr) return value;
    TORCH_CHECK(value.sizes() == shortcut.sizes(), "the branches of a residual unit differ");
    return value + shortcut;
  }

  static void Describe(Layer& layer, const TorchTensor& input, const TorchTensor& output,
                       LayerSummary& row) {
    if (dynamic_cast<Conv2d*>(&layer) != nullptr) {
      const TorchTensor weight = layer.named_parameters()["weight"];
      row.type = ConvType(weight, input.size(1));
      row.multiply_adds = output.numel() * (weight.numel() / weight.size(0));
    } else if (dynamic_cast<Linear*>(&layer) != nullptr) {
      row.type = "linear";
      row.multiply_adds = layer.named_parameters()["weight"].numel();
    } else if (dynamic_cast<ChannelGate*>(&layer) != nullptr) {
      // Its two convolutions see one place alone.
      row.type = "channel gate";
      row.multiply_adds = row.parameters;
    } else if (dynamic_cast<BatchNorm*>(&layer) != nullptr) {
      row.type = "batch norm";
    } else if (dynamic_cast<PRelu*>(&layer) != nullptr) {
      row.type = "PReLU";
    } else if (dynamic_cast<Dropout*>(&layer) != nullptr) {
      row.type = "dropout";
    } else if (dynamic_cast<Flatten*>(&layer) != nullptr) {
      row.type = "flatten";
    } else if (dynamic_cast<Subsample*>(&layer) != nullptr) {
      row.type = "subsample";
    } else {
      TORCH_CHECK(false, "a layer of unknown kind: ", row.name);
    }
  }

  std::vector<LayerSummary>& layers_;
};

// Values do not matter for shapes, but undefined ones can be slow or not finite.
void SetZeros(torch::nn::Module& module) {
  for (TorchTensor& tensor : module.parameters()) tensor.zero_();
  for (TorchTensor& tensor : module.buffers()) tensor.zero_();
}

StatusOr<NetworkSummary> RunOnce(Backbone& backbone, int64_t input_side) {
  return CatchToStatus("running the network", [&]() -> StatusOr<NetworkSummary> {
    const torch::NoGradGuard no_grad;
    backbone.eval();
    SetZeros(backbone);
    NetworkSummary network{.layers = {}, .input_side = input_side};
    const TorchTensor input = torch::zeros({1, 3, input_side, input_side});
    Walk(network.layers).Enter("", backbone, input, 0);
    network.parameters = network.layers.front().parameters;
    network.multiply_adds = network.layers.front().multiply_adds;
    return network;
  });
}

}  // namespace

StatusOr<NetworkSummary> SummarizeNetwork(std::string_view architecture, int64_t input_side) {
  FACEGATE_ASSIGN_OR_RETURN(const int embedding_size, EmbeddingSizeOf(architecture));
  if (input_side < 1 || input_side > kMaxInputSide) {
    return InvalidArgument(
        fmt::format("the input is {} pixels wide, expected 1 to {}", input_side, kMaxInputSide));
  }
  FACEGATE_ASSIGN_OR_RETURN(const auto backbone, CreateBackbone(architecture));
  StatusOr<NetworkSummary> network = RunOnce(*backbone, input_side);
  if (!network.ok() && input_side == Backbone::kInputSide) return network.status();
  if (!network.ok() || network->layers.front().output != std::vector<int64_t>{embedding_size}) {
    return InvalidArgument(fmt::format(
        "the last layers of {} do not fit an input of {} x {} pixels; it is made for {} x {}",
        architecture, input_side, input_side, Backbone::kInputSide, Backbone::kInputSide));
  }
  return network;
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
