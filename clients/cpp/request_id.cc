#include "clients/cpp/request_id.h"

#include <fmt/format.h>

#include <cstdint>
#include <random>

namespace facegate {

std::string MakeRequestId() {
  std::random_device random;
  const auto bits = [&random] { return static_cast<uint32_t>(random()); };
  constexpr uint32_t kVersion4 = 0x4000U;
  constexpr uint32_t kVariant = 0x8000U;
  const uint32_t middle = bits();
  const uint32_t last = bits();
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", bits(), middle >> 16U,
                     (middle & 0x0FFFU) | kVersion4, ((last >> 16U) & 0x3FFFU) | kVariant,
                     last & 0xFFFFU, bits());
}

}  // namespace facegate
