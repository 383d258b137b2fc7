#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "face/weights/weights.h"

namespace facegate {

// Trained weights that a training begins with.
struct StartWeights {
  TensorMap tensors;        // "backbone.NAME"; of a checkpoint "head.NAME" too
  std::string description;  // the file's name and digest, and what its card says of its training
  std::optional<ColourOrder> colours;  // that its card names
  std::vector<std::string> left{};     // tensors beside the network, such as a head
};

// Reads a model file, a checkpoint of fit, another .safetensors, a file of torch.save (.pth, .pt;
// nothing in it is executed), or weights of Keras (.h5, or a checkpoint of
// TensorFlow by its prefix). In the last three it takes a whole network of
// `architecture` under any key and prefix; without one, the largest dict of tensors, where
// torchvision's ResNets (for ImageNet) fit into those of any names. Of a file with averaged weights
// it takes those. kInvalidArgument names the path.
StatusOr<StartWeights> ReadStartWeights(const std::string& path, const std::string& architecture);

}  // namespace facegate
