#pragma once

#include <torch/types.h>

#include "trainer/parallel/process_group.h"

// Operators over the tensors of all processes, with gradients. Each process computes a loss, and
// the gradients are those of the sum of all losses: a loss that all compute alike is divided by
// their number before it goes backward. All processes call the same operators in the same order,
// and so they do on the way back. std::runtime_error where the group fails.
namespace facegate {

// Throws what these throw.
void ThrowUnlessOk(const Status& status);

// The rows of all processes, each with as many, in the order of ranks.
torch::Tensor RowsOfAll(const torch::Tensor& rows, ProcessGroup& group);

torch::Tensor SumOfAll(const torch::Tensor& numbers, ProcessGroup& group);

// Without a gradient.
torch::Tensor LargestOfAll(const torch::Tensor& numbers, ProcessGroup& group);

struct NormOptions {
  double momentum = 0.1;
  double epsilon = 1e-5;
};

// A batch norm in training mode whose statistics are those of the batch of all processes, each with
// as much of it; running statistics are updated by them. Gradients of `gamma` and `beta` are of
// this process's part. What is not affine has both undefined.
torch::Tensor NormOverAll(const torch::Tensor& input, torch::Tensor gamma, torch::Tensor beta,
                          torch::Tensor running_mean, torch::Tensor running_var,
                          const NormOptions& options, ProcessGroup& group);

}  // namespace facegate
