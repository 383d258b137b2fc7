#pragma once

#include <memory>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/torch/backbone.h"
#include "face/weights/weights.h"

namespace facegate {

// Makes a network with these weights. What is described is compared with the tensors before memory
// is taken for it, so that it takes no more than they do. kInvalidArgument, naming tensors, as
// LoadWeights() has it.
StatusOr<std::shared_ptr<Backbone>> LoadBackbone(const network::Description& description,
                                                 const TensorMap& tensors);

}  // namespace facegate
