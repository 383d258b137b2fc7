#include "index/rows/float_dot.h"

#include <cstddef>
#include <cstring>

namespace facegate {

float FloatDot(std::span<const float> a, std::span<const float> b) {
  typedef float Lanes __attribute__((vector_size(16)));
  constexpr size_t kLanes = 4;
  constexpr size_t kParts = 4;
  Lanes sums[kParts] = {};
  const size_t whole = a.size() / (kLanes * kParts) * (kLanes * kParts);
  for (size_t i = 0; i < whole; i += kLanes * kParts) {
#pragma GCC unroll 4
    for (size_t part = 0; part < kParts; ++part) {
      Lanes x;
      Lanes y;
      std::memcpy(&x, a.data() + i + part * kLanes, sizeof(x));
      std::memcpy(&y, b.data() + i + part * kLanes, sizeof(y));
      sums[part] += x * y;
    }
  }
  const Lanes lanes = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  for (size_t i = whole; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace facegate
