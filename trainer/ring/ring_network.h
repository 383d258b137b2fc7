#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"

namespace facegate {

// The networks of the ring demonstration. They lead from pictures of digits to raw embeddings N·2,
// which can be drawn as they are.
//
//   small              made for this: digits of 28×28 as they are, 0.1 million parameters
//   resnet-18-plane-2  piginzoo/arcface-pytorch's for MNIST: 3·160×160, 11.2 million parameters
const std::vector<std::string>& RingNetworkNames();

// kInvalidArgument, listing the names, for another one.
StatusOr<network::Description> DescribeRingNetwork(std::string_view name);

}  // namespace facegate
