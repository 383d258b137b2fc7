#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "face/base/status.h"
#include "face/torch/backbone_layers.h"

namespace facegate {

// A network that turns N·3·112·112 crops into raw (not normalised) embeddings, N·E. Names and
// shapes of its parameters and buffers are those of its PyTorch original, so that weights move both
// ways. Values are undefined until LoadWeights() (face/torch/tensor_conversion.h) sets them.
class Backbone : public Chain {
 public:
  static constexpr int64_t kInputSide = 112;  // pixels
};

// One of ArchitectureNames(); kInvalidArgument for another name. `dropout` in 0..1 acts before the
// last linear layer in training mode, where the architecture has it (iresnet, irse).
StatusOr<std::shared_ptr<Backbone>> CreateBackbone(std::string_view architecture,
                                                   double dropout = 0.0);

}  // namespace facegate
