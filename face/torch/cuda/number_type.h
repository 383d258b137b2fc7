#pragma once

#include <torch/types.h>

#include "face/torch/cuda/kernels.h"

namespace facegate {

// The kernels' name of a type of LibTorch: kHalf, kBFloat16, or fp32 for kFloat.
inline cuda::NumberType NumberTypeOf(torch::ScalarType type) {
  if (type == torch::kHalf) return cuda::NumberType::kFp16;
  return type == torch::kBFloat16 ? cuda::NumberType::kBf16 : cuda::NumberType::kFp32;
}

}  // namespace facegate
