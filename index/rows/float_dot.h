#pragma once

#include <span>

namespace facegate {

// The dot product in float32, in an order of its own: within FloatDotErrorBound() of CosineScore().
float FloatDot(std::span<const float> a, std::span<const float> b);

}  // namespace facegate
