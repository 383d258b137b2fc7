#pragma once

#include <torch/types.h>

#include <vector>

#include "face/network/description.h"

// What layers of face/network/description.h compute that is no single operation of LibTorch's:
// windows whose borders differ from side to side, the joins of a graph, and what is made of tokens.
// Maps are N·C·H·W, tokens N·T·C, lists N·C. Thread-safe.
namespace facegate {

// A number for each channel, so that it meets `map`, which may be tokens or a list.
torch::Tensor OverChannels(const torch::Tensor& channels, const torch::Tensor& map);

// Puts rows and columns of `value` around a map.
torch::Tensor PadTensor(const torch::Tensor& map, const network::Borders& borders, double value);

// `bias` may be undefined.
torch::Tensor ConvolveWindow(const torch::Tensor& map, const network::Window& window,
                             int64_t groups, const torch::Tensor& weight,
                             const torch::Tensor& bias);
torch::Tensor MaxUnderWindow(const torch::Tensor& map, const network::Window& window);
torch::Tensor AverageUnderWindow(const torch::Tensor& map, const network::AveragePool& layer);

// A value of its own only where it must be.
torch::Tensor MapToTokens(const torch::Tensor& map);

// What the heads of a self-attention give, of queries, keys and values: N·T·3C to N·T·C.
torch::Tensor AttendTokens(const torch::Tensor& qkv, int64_t heads);

torch::Tensor JoinTensors(network::Join join, const std::vector<torch::Tensor>& values);

}  // namespace facegate
