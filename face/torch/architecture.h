#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/weights/weights.h"

// Tells what is known of the backbones without LibTorch's headers; the networks themselves are in
// face/torch/backbone.h.
namespace facegate {

// "mobilefacenet-128", "mobilefacenet-512", "iresnet-18", "iresnet-34", "iresnet-50",
// "iresnet-100", "iresnet-200", "irse-50". Stored in cards: do not change them.
const std::vector<std::string>& ArchitectureNames();

// Length of its embedding. kInvalidArgument, listing the known names, for another name.
StatusOr<int> EmbeddingSizeOf(std::string_view architecture);

// Trainable and fixed parameters, without buffers.
StatusOr<int64_t> ParameterCount(std::string_view architecture);

// The architecture whose tensors have exactly these names and shapes (num_batches_tracked may be
// missing). kInvalidArgument, naming the nearest architecture and the first tensors that differ,
// when there is none.
StatusOr<std::string> DetectArchitecture(const TensorMap& tensors);

// Weights from a generator of our own, equal on every machine and LibTorch: scaled so that
// activations neither vanish nor explode, batch norm statistics plausible. For tests and
// demonstrations; they recognise nobody.
StatusOr<TensorMap> RandomWeights(std::string_view architecture, uint64_t seed);

}  // namespace facegate
