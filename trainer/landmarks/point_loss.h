#pragma once

#include <torch/types.h>

namespace facegate {

// Errors below this are taken squared: 1 % of the frame's side, 2.5 % of the eyes' distance.
inline constexpr double kSquaredBelow = 0.1;
// The smooth absolute error (Girshick 2015) of points [count, 10] in the network's units: the mean
// over the rows where `faces` [count] is 1, and 0 where none is.
torch::Tensor PointLoss(const torch::Tensor& points, const torch::Tensor& targets,
                        const torch::Tensor& faces);

}  // namespace facegate
