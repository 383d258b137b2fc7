#pragma once

#include <cstdint>
#include <vector>

#include "face/network/description.h"

namespace facegate::network {

// The tensors of a layer and of those within, named from the layer's own name on; in the order of
// the state dict.
std::vector<TensorShape> TensorsOf(const Layer& layer);
// The same of all layers, and after them the tensors that are of none.
std::vector<TensorShape> TensorsOf(const Description& description);

// The numbers in the parameters among them, trainable or fixed; buffers do not count.
int64_t CountParameters(const std::vector<TensorShape>& tensors);

}  // namespace facegate::network
