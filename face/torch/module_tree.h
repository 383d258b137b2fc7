#pragma once

#include <vector>

#include "face/network/description.h"
#include "face/torch/backbone_layers.h"

namespace facegate {

// Makes the layers of a description, and those within them, and appends them to `chain` under their
// names; what is marked as a map is marked there, too. Throws where LibTorch does.
void AppendLayers(const std::vector<network::Layer>& layers, Chain& chain);

}  // namespace facegate
