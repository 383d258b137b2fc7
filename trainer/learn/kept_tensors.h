#pragma once

#include <torch/types.h>

#include <utility>
#include <vector>

namespace facegate {

// Tensors as they are, to be put back.
class KeptTensors {
 public:
  explicit KeptTensors(const std::vector<torch::Tensor>& tensors) {
    const torch::NoGradGuard no_grad;
    kept_.reserve(tensors.size());
    for (const torch::Tensor& tensor : tensors) kept_.emplace_back(tensor, tensor.clone());
  }
  void Restore() {
    const torch::NoGradGuard no_grad;
    for (auto& [tensor, value] : kept_) tensor.copy_(value);
  }

 private:
  std::vector<std::pair<torch::Tensor, torch::Tensor>> kept_;
};

}  // namespace facegate
