#include "trainer/learn/grey_network_module.h"

#include <fmt/format.h>
#include <torch/nn/functional/activation.h>

#include <string>
#include <utility>

namespace facegate {
namespace {

using torch::Tensor;

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

GreyNetworkModule::GreyNetworkModule(const GreyNetworkLayout& layout) {
  for (size_t i = 0; i < layout.convolutions.size(); ++i) {
    const GreyConvolution& layer = layout.convolutions[i];
    convolutions_.push_back(
        register_module(fmt::format("convolution{}", i + 1),
                        torch::nn::Conv2d(torch::nn::Conv2dOptions(layer.inputs, layer.outputs, 3)
                                              .stride(layer.stride)
                                              .padding(1)
                                              .bias(false))));
    norms_.push_back(
        register_module(fmt::format("norm{}", i + 1), torch::nn::BatchNorm2d(layer.outputs)));
  }
  const int64_t features =
      int64_t{layout.convolutions.back().outputs} * layout.grid_side * layout.grid_side;
  hidden_ = register_module("hidden", torch::nn::Linear(features, layout.hidden));
  output_ = register_module("output", torch::nn::Linear(layout.hidden, layout.outputs));
}

Tensor GreyNetworkModule::forward(Tensor crops) {
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    crops = torch::relu(norms_[i]->forward(convolutions_[i]->forward(crops)));
  }
  return output_->forward(torch::relu(hidden_->forward(crops.flatten(1))));
}

NetworkWeights GreyNetworkModule::Folded() {
  const torch::NoGradGuard no_grad;
  NetworkWeights weights;
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    const auto& norm = norms_[i];
    const Tensor scale = norm->weight / torch::sqrt(norm->running_var + norm->options.eps());
    const std::string name = fmt::format("convolution{}", i + 1);
    weights.tensors[name + ".weight"] =
        ToPlain(convolutions_[i]->weight * scale.view({-1, 1, 1, 1}));
    weights.tensors[name + ".bias"] = ToPlain(norm->bias - norm->running_mean * scale);
  }
  weights.tensors["hidden.weight"] = ToPlain(hidden_->weight);
  weights.tensors["hidden.bias"] = ToPlain(hidden_->bias);
  weights.tensors["output.weight"] = ToPlain(output_->weight);
  weights.tensors["output.bias"] = ToPlain(output_->bias);
  return weights;
}

}  // namespace facegate
