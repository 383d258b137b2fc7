#pragma once

#include <cstdint>

namespace facegate {

// The most that one request may hold; told to clients in ServerInfo.limits.
struct RequestLimits {
  uint64_t max_image_bytes = 8 << 20;
  uint64_t max_image_pixels = 40'000'000;
  uint32_t max_samples = 16;       // faces of one Enroll
  uint32_t max_candidates = 100;   // of one face in Identify
  uint64_t max_message_bytes = 0;  // of a whole request, enforced by gRPC
};

}  // namespace facegate
