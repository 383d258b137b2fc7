#pragma once

#include <vector>

#include "face/network/description.h"
#include "face/torch/backbone_layers.h"
#include "face/weights/network_weights.h"

namespace facegate {

// A network of face/network/grey_networks.h as it learns: with a batch norm behind each
// convolution, in place of its bias. It turns crops [count, 1, side, side], as the network takes
// them, into outputs [count, outputs].
class GreyNetworkModule : public Chain {
 public:
  explicit GreyNetworkModule(const network::Description& description);

  // The weights of the layers as they are described: the batch norms' running means are worked into
  // the convolutions.
  NetworkWeights Folded() const;

 private:
  const std::vector<network::Layer> described_;
};

}  // namespace facegate
