#pragma once

#include <cstdint>
#include <vector>

#include "face/network/description.h"

namespace facegate::network {

// Lists the tensors of a layer and of those within, in the order of the state dict; their names
// begin with the layer's own.
std::vector<TensorShape> TensorsOf(const Layer& layer);
// Lists those of all layers, and after them the tensors that are of none.
std::vector<TensorShape> TensorsOf(const Description& description);

// Counts the numbers in parameters, trainable or fixed; buffers do not count.
int64_t CountParameters(const std::vector<TensorShape>& tensors);

}  // namespace facegate::network
