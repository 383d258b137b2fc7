#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include "face/base/status.h"
#include "face/network/shape_map.h"
#include "face/weights/weights.h"

namespace facegate {

// Names and shapes of the parameters and buffers of `module`.
ShapeMap ShapesOf(const torch::nn::Module& module);

// kInvalidArgument when the bytes do not fit shape and type. Copies.
StatusOr<torch::Tensor> ToTorch(const Tensor& tensor);
// kInvalidArgument for a type that Tensor does not know. Copies; from any device.
StatusOr<Tensor> FromTorch(const torch::Tensor& tensor);

// Sets the parameters and buffers of `module` (on the CPU). kInvalidArgument, naming tensors,
// unless names and shapes are exactly the module's, types are floating-point (converted to the
// module's), values finite and variances not negative; the module's values are then undefined.
Status LoadWeights(const TensorMap& tensors, torch::nn::Module& module);

// The module's parameters and buffers.
StatusOr<TensorMap> StateDict(const torch::nn::Module& module);

}  // namespace facegate
