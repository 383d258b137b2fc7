#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <array>
#include <vector>

#include "face/image/landmark_weights.h"

namespace facegate {

// Errors below this are taken squared: 1 % of the frame's side, 2.5 % of the eyes' distance.
inline constexpr double kSquaredBelow = 0.1;
// The smooth absolute error (Girshick 2015) of points [count, 10] in the network's units: the mean
// over the rows where `faces` [count] is 1, and 0 where none is.
torch::Tensor PointLoss(const torch::Tensor& points, const torch::Tensor& targets,
                        const torch::Tensor& faces);

// The landmark network as it learns: that of face/detect/landmark_net.h with a batch norm behind
// each convolution.
class LandmarkModule : public torch::nn::Module {
 public:
  LandmarkModule();

  // Crops [count, 1, side, side] as LandmarkInput() makes them -> outputs [count, 11].
  torch::Tensor forward(torch::Tensor crops);

  // The weights with the batch norms' running means worked into the convolutions.
  LandmarkWeights Folded(const std::array<float, 3>& box_to_frame);

 private:
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Linear hidden_{nullptr};
  torch::nn::Linear output_{nullptr};
};

}  // namespace facegate
