#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "face/base/random.h"

namespace facegate::synthetic {

// Smooth random values 0..1 over the plane, about one hill per unit, repeated every 64 units.
// Thread-safe after construction.
class Noise {
 public:
  explicit Noise(RandomStream random) {
    for (float& value : values_) value = static_cast<float>(random.Uniform());
  }

  float At(float x, float y) const {
    const float fx = Floor(x);
    const float fy = Floor(y);
    const auto column = static_cast<uint32_t>(static_cast<int32_t>(fx));
    const auto row = static_cast<uint32_t>(static_cast<int32_t>(fy));
    const float tx = Ease(x - fx);
    const float ty = Ease(y - fy);
    const float top = Value(column, row) + (Value(column + 1, row) - Value(column, row)) * tx;
    const float low =
        Value(column, row + 1) + (Value(column + 1, row + 1) - Value(column, row + 1)) * tx;
    return top + (low - top) * ty;
  }

  // Around 0, in -0.5..0.5.
  float Signed(float x, float y) const { return At(x, y) - 0.5F; }

 private:
  static constexpr uint32_t kSide = 64;

  static float Floor(float x) {
    const auto whole = static_cast<float>(static_cast<int32_t>(x));
    return whole > x ? whole - 1.0F : whole;
  }
  static float Ease(float t) { return t * t * (3.0F - 2.0F * t); }
  float Value(uint32_t column, uint32_t row) const {
    return values_[(row % kSide) * kSide + column % kSide];
  }

  std::array<float, static_cast<size_t>(kSide) * kSide> values_;
};

}  // namespace facegate::synthetic
