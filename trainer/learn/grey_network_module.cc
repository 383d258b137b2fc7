#include "trainer/learn/grey_network_module.h"

#include <fmt/format.h>

#include <string>
#include <variant>

#include "face/torch/module_tree.h"

namespace facegate {
namespace {

using torch::Tensor;

std::string NormName(int number) { return fmt::format("norm{}", number); }

// The layers with batch norms, numbered as the convolutions are, in place of the convolutions'
// biases.
std::vector<network::Layer> WithNorms(const std::vector<network::Layer>& described) {
  std::vector<network::Layer> layers;
  int norms = 0;
  for (const network::Layer& layer : described) {
    const auto* const convolution = std::get_if<network::Convolution>(&layer.kind);
    if (convolution == nullptr) {
      layers.push_back(layer);
      continue;
    }
    layers.push_back({layer.name, network::Convolution{convolution->shape}});
    layers.push_back({NormName(++norms), network::BatchNorm{convolution->shape.out}});
  }
  return layers;
}

NetworkTensor ToPlain(const Tensor& tensor) {
  const Tensor values = tensor.detach().to(torch::kFloat).contiguous();
  const auto count = static_cast<size_t>(values.numel());
  const float* const data = values.data_ptr<float>();
  NetworkTensor plain;
  plain.shape.assign(values.sizes().begin(), values.sizes().end());
  plain.values.assign(data, data + count);
  return plain;
}

}  // namespace

GreyNetworkModule::GreyNetworkModule(const network::Description& description)
    : described_(description.layers) {
  AppendLayers(WithNorms(described_), *this);
}

NetworkWeights GreyNetworkModule::Folded() const {
  const torch::NoGradGuard no_grad;
  const auto parameters = named_parameters();
  const auto buffers = named_buffers();
  NetworkWeights weights;
  int norms = 0;
  for (const network::Layer& layer : described_) {
    const std::string weight = layer.name + ".weight";
    const std::string bias = layer.name + ".bias";
    if (std::holds_alternative<network::Convolution>(layer.kind)) {
      const std::string norm = NormName(++norms);
      const Tensor scale =
          parameters[norm + ".weight"] / torch::sqrt(buffers[norm + ".running_var"] + kNormEpsilon);
      weights.tensors[weight] = ToPlain(parameters[weight] * scale.view({-1, 1, 1, 1}));
      weights.tensors[bias] =
          ToPlain(parameters[norm + ".bias"] - buffers[norm + ".running_mean"] * scale);
    } else if (std::holds_alternative<network::Linear>(layer.kind)) {
      weights.tensors[weight] = ToPlain(parameters[weight]);
      weights.tensors[bias] = ToPlain(parameters[bias]);
    }
  }
  return weights;
}

}  // namespace facegate
