#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

// The backbones are known by their names.
namespace facegate {

// "mobilefacenet-128", "mobilefacenet-512", "iresnet-18", "iresnet-34", "iresnet-50",
// "iresnet-100", "iresnet-200", "irse-50". Stored in cards: do not change them.
const std::vector<std::string>& ArchitectureNames();

// Describes the network of that name. kInvalidArgument, listing the known names, for another name.
// `dropout` in 0..1 acts before the last linear layer in training mode, where the architecture has
// it (iresnet, irse).
StatusOr<network::Description> DescribeArchitecture(std::string_view architecture,
                                                    double dropout = 0.0);

// Gives the length of its embedding.
StatusOr<int> EmbeddingSizeOf(std::string_view architecture);

// Counts trainable and fixed parameters, without buffers.
StatusOr<int64_t> ParameterCount(std::string_view architecture);

// Finds the architecture whose tensors have exactly these names and shapes (num_batches_tracked may
// be missing). kInvalidArgument, naming the nearest architecture and the first tensors that differ,
// when there is none.
StatusOr<std::string> DetectArchitecture(const TensorMap& tensors);

}  // namespace facegate
