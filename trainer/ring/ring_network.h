#pragma once

#include <memory>

#include "face/network/description.h"
#include "face/torch/backbone_layers.h"

namespace facegate {

// The small network of the ring demonstration: N·1·28·28 digits to raw embeddings N·2, which can
// be drawn as they are. Values are undefined until SetInitialWeights() sets them.
class RingNetwork : public Chain {
 public:
  static constexpr int64_t kInputSide = 28;  // pixels
  static constexpr int64_t kEmbeddingSize = 2;
};

network::Description DescribeRingNetwork();

std::shared_ptr<RingNetwork> MakeRingNetwork();

}  // namespace facegate
