#pragma once

#include <cstdint>
#include <string_view>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/weights.h"

namespace facegate {

// Makes weights by a generator of our own, equal on every machine: scaled so that activations
// neither vanish nor explode, batch norm statistics plausible. They are for tests and
// demonstrations, and recognise nobody. kInvalidArgument for an unknown architecture.
StatusOr<TensorMap> RandomWeights(std::string_view architecture, uint64_t seed);
TensorMap RandomWeights(const network::Description& description, uint64_t seed);

}  // namespace facegate
