#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <vector>

#include "face/detect/grey_network.h"
#include "face/weights/network_weights.h"

namespace facegate {

// A network of face/detect/grey_network.h as it learns: with a batch norm behind each convolution.
class GreyNetworkModule : public torch::nn::Module {
 public:
  explicit GreyNetworkModule(const GreyNetworkLayout& layout);

  // Crops [count, 1, side, side] as the network takes them -> outputs [count, outputs].
  torch::Tensor forward(torch::Tensor crops);

  // The weights of the layers with the batch norms' running means worked into the convolutions.
  NetworkWeights Folded();

 private:
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Linear hidden_{nullptr};
  torch::nn::Linear output_{nullptr};
};

}  // namespace facegate
