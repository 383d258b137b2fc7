#pragma once

#include <optional>

#include "face/weights/weights.h"

namespace facegate {

// The numbers of a tensor of F16 as F32; each is exact.
Tensor WidenHalf(const Tensor& half);

// The numbers of a tensor of F32 as F16; nothing where one of them is not exactly such a number.
std::optional<Tensor> NarrowToHalf(const Tensor& whole);

}  // namespace facegate
