#pragma once

#include "face/torch/plan_network.h"

namespace facegate {

// The kernels of kernels.h on tensors, launched on the calling thread's current stream. A launch
// that fails throws as LibTorch does.
const MapKernels& CardMapKernels();

}  // namespace facegate
