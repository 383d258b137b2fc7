#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/torch/backbone_layers.h"

namespace facegate {

// A backbone turns N·3·112·112 crops into raw (not normalised) embeddings, N·E. Values of its
// parameters and buffers are undefined until LoadWeights() (face/torch/tensor_conversion.h) sets
// them.
class Backbone : public Chain {
 public:
  static constexpr int64_t kInputSide = network::kCropInput.side;  // pixels
};

// Makes the modules of what DescribeArchitecture() describes, with its errors.
StatusOr<std::shared_ptr<Backbone>> CreateBackbone(std::string_view architecture,
                                                   double dropout = 0.0);

}  // namespace facegate
