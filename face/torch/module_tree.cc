#include "face/torch/module_tree.h"

#include <memory>
#include <utility>
#include <variant>

#include "face/torch/token_layers.h"

namespace facegate {
namespace {

// Makes the module of a layer.
struct Maker {
  std::shared_ptr<Layer> operator()(const network::Convolution& layer) const {
    return std::make_shared<Conv2d>(layer.shape, layer.bias);
  }
  std::shared_ptr<Layer> operator()(const network::BatchNorm& layer) const {
    return std::make_shared<BatchNorm>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::OblongConvolution& layer) const {
    return std::make_shared<OblongConv2d>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::MaxPool& layer) const {
    return std::make_shared<MaxPool>(layer.window);
  }
  std::shared_ptr<Layer> operator()(const network::AveragePool& layer) const {
    return std::make_shared<AveragePool>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::GlobalAverage& /*layer*/) const {
    return std::make_shared<GlobalAverage>();
  }
  std::shared_ptr<Layer> operator()(const network::Pad& layer) const {
    return std::make_shared<Pad>(layer.borders);
  }
  std::shared_ptr<Layer> operator()(const network::ChannelAffine& layer) const {
    return std::make_shared<ChannelAffine>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::Clip& layer) const {
    return std::make_shared<Clip>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::Sigmoid& /*layer*/) const {
    return std::make_shared<Sigmoid>();
  }
  std::shared_ptr<Layer> operator()(const network::PRelu& layer) const {
    return std::make_shared<PRelu>(layer.channels);
  }
  std::shared_ptr<Layer> operator()(const network::Relu& /*layer*/) const {
    return std::make_shared<Relu>();
  }
  std::shared_ptr<Layer> operator()(const network::Linear& layer) const {
    return std::make_shared<Linear>(layer.in, layer.out, layer.bias);
  }
  std::shared_ptr<Layer> operator()(const network::Dropout& layer) const {
    return std::make_shared<Dropout>(layer.probability);
  }
  std::shared_ptr<Layer> operator()(const network::Flatten& /*layer*/) const {
    return std::make_shared<Flatten>();
  }
  std::shared_ptr<Layer> operator()(const network::Subsample& layer) const {
    return std::make_shared<Subsample>(layer.stride);
  }
  std::shared_ptr<Layer> operator()(const network::ChannelGate& layer) const {
    return std::make_shared<ChannelGate>(layer.channels, layer.reduction);
  }
  std::shared_ptr<Layer> operator()(const network::PixelShuffle& layer) const {
    return std::make_shared<PixelShuffle>(layer.factor);
  }
  std::shared_ptr<Layer> operator()(const network::Tokens& /*layer*/) const {
    return std::make_shared<Tokens>();
  }
  std::shared_ptr<Layer> operator()(const network::PositionEmbedding& layer) const {
    return std::make_shared<PositionEmbedding>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::LayerNorm& layer) const {
    return std::make_shared<LayerNorm>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::SelfAttention& layer) const {
    return std::make_shared<SelfAttention>(layer);
  }
  std::shared_ptr<Layer> operator()(const network::DropPath& layer) const {
    return std::make_shared<DropPath>(layer.probability);
  }
  std::shared_ptr<Layer> operator()(const network::DropTokens& layer) const {
    return std::make_shared<DropTokens>(layer.share);
  }
  // What was left out comes back in a chain alone: see AppendLayers().
  std::shared_ptr<Layer> operator()(const network::MaskToken& layer) const {
    return std::make_shared<MaskToken>(layer, nullptr);
  }
  std::shared_ptr<Layer> operator()(const network::Chain& layer) const {
    auto chain = std::make_shared<Chain>();
    AppendLayers(layer.layers, *chain);
    return chain;
  }
  std::shared_ptr<Layer> operator()(const network::Residual& layer) const {
    auto residual = std::make_shared<Residual>();
    AppendLayers(layer.layers, *residual);
    for (const network::Layer& one : layer.shortcut) {
      residual->AppendShortcut(one.name, std::visit(*this, one.kind));
    }
    return residual;
  }
  std::shared_ptr<Layer> operator()(const network::Graph& layer) const {
    auto graph = std::make_shared<Graph>();
    for (const network::Layer& one : layer.layers) {
      graph->Append(one.name, std::visit(*this, one.kind));
    }
    graph->SetCalls(layer.calls);
    return graph;
  }
};

}  // namespace

void AppendLayers(const std::vector<network::Layer>& layers, Chain& chain) {
  std::shared_ptr<DropTokens> dropping;  // what has no MaskToken yet
  for (const network::Layer& layer : layers) {
    std::shared_ptr<Layer> module;
    if (const auto* const token = std::get_if<network::MaskToken>(&layer.kind)) {
      module = std::make_shared<MaskToken>(*token, std::exchange(dropping, nullptr));
    } else {
      module = std::visit(Maker(), layer.kind);
    }
    if (std::holds_alternative<network::DropTokens>(layer.kind)) {
      dropping = std::dynamic_pointer_cast<DropTokens>(module);
    }
    chain.Append(layer.name, std::move(module));
    if (layer.map) chain.MarkMap();
  }
}

}  // namespace facegate
