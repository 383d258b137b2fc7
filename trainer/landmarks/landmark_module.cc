#include "trainer/landmarks/landmark_module.h"

#include <ATen/core/Reduction.h>
#include <fmt/format.h>
#include <torch/nn/functional/activation.h>

#include <string>
#include <utility>

#include "face/detect/landmark_net.h"

namespace facegate {
namespace {

using torch::Tensor;

LandmarkTensor ToPlain(const Tensor& tensor) {
  const Tensor values = tensor.detach().to(torch::kFloat).contiguous();
  const auto count = static_cast<size_t>(values.numel());
  const float* const data = values.data_ptr<float>();
  LandmarkTensor plain;
  plain.shape.assign(values.sizes().begin(), values.sizes().end());
  plain.values.assign(data, data + count);
  return plain;
}

}  // namespace

// The function in torch::nn::functional takes no notice of its option beta in LibTorch 1.13; the
// operator does.
Tensor PointLoss(const Tensor& points, const Tensor& targets, const Tensor& faces) {
  const Tensor errors = torch::smooth_l1_loss(points, targets, at::Reduction::None, kSquaredBelow);
  return (errors.mean(1) * faces).sum() / faces.sum().clamp_min(1);
}

LandmarkModule::LandmarkModule() {
  for (size_t i = 0; i < kLandmarkConvolutions.size(); ++i) {
    const LandmarkConvolution& layer = kLandmarkConvolutions[i];
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
      int64_t{kLandmarkConvolutions.back().outputs} * kLandmarkGridSide * kLandmarkGridSide;
  hidden_ = register_module("hidden", torch::nn::Linear(features, kLandmarkHidden));
  output_ = register_module(
      "output", torch::nn::Linear(kLandmarkHidden, static_cast<int64_t>(kLandmarkOutputs)));
}

Tensor LandmarkModule::forward(Tensor crops) {
  for (size_t i = 0; i < convolutions_.size(); ++i) {
    crops = torch::relu(norms_[i]->forward(convolutions_[i]->forward(crops)));
  }
  return output_->forward(torch::relu(hidden_->forward(crops.flatten(1))));
}

LandmarkWeights LandmarkModule::Folded(const std::array<float, 3>& box_to_frame) {
  const torch::NoGradGuard no_grad;
  LandmarkWeights weights;
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
  weights.tensors[kBoxToFrame] = {.shape = {3},
                                  .values = {box_to_frame.begin(), box_to_frame.end()}};
  return weights;
}

}  // namespace facegate
