#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/backbone_group.h"
#include "face/weights/weights.h"

namespace facegate {

// A backbone out of a file that may hold more.
struct FoundBackbone {
  TensorMap tensors;  // under their names in the architecture
  network::Description network;
  std::vector<std::string> remarks;  // see network::FoundNetwork
  std::vector<std::string> left;     // names of the other tensors beside it
};

// The backbone in a file of torch.save. Errors are those of ParseTorchPickle() and FindBackbone().
StatusOr<FoundBackbone> ParseBackbone(std::string_view bytes, const BackboneWish& wish);

// The backbone among `tensors`, which are moved out of there; on an error they stay.
StatusOr<FoundBackbone> TakeBackbone(TensorMap& tensors, const BackboneWish& wish);

}  // namespace facegate
