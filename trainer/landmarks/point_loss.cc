#include "trainer/landmarks/point_loss.h"

#include <ATen/core/Reduction.h>

namespace facegate {

using torch::Tensor;

// The function in torch::nn::functional takes no notice of its option beta in LibTorch 1.13; the
// operator does.
Tensor PointLoss(const Tensor& points, const Tensor& targets, const Tensor& faces) {
  const Tensor errors = torch::smooth_l1_loss(points, targets, at::Reduction::None, kSquaredBelow);
  return (errors.mean(1) * faces).sum() / faces.sum().clamp_min(1);
}

}  // namespace facegate
