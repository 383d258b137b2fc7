#pragma once

#include <optional>
#include <string>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "face/model/weights.h"

namespace facegate {

// Trained weights that a training begins with.
struct StartWeights {
  TensorMap tensors;        // "backbone.NAME"; of a checkpoint "head.NAME" too
  std::string description;  // the file's name and digest, and what its card says of its training
  std::optional<ColourOrder> colours;  // that its card names
};

// Reads a model file, a checkpoint of fit, another .safetensors, or a file of torch.save (.pth,
// .pt; nothing in it is executed). Of a checkpoint with averaged weights it takes those.
// kInvalidArgument names the path.
StatusOr<StartWeights> ReadStartWeights(const std::string& path);

}  // namespace facegate
