#pragma once

#include <torch/nn/module.h>

#include <cstdint>

namespace facegate {

// Sets all parameters and buffers of a backbone to what training begins with: convolutions and
// linear layers normal with the deviation sqrt(2 / fan out) (He et al., 2015), batch norms and
// layer norms the identity, PReLU slopes 0.25. In networks with self-attention linear layers,
// places and masks are normal with the deviation 0.02, and convolutions, their biases included,
// even within 1 / sqrt(fan in) (Dosovitskiy et al., 2021; PyTorch). Follows from the seed alone.
void SetInitialWeights(torch::nn::Module& module, uint64_t seed);

// True when a parameter is decayed: weights of convolutions and linear layers are, and places and
// masks of transformers; norms, biases and PReLU slopes are not.
bool IsDecayed(const torch::Tensor& parameter);

}  // namespace facegate
