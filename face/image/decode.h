#pragma once

#include <cstdint>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image.h"
#include "face/image/image_header.h"

namespace facegate {

struct DecodeLimits {
  // Bytes of the encoded image.
  uint64_t max_bytes = 8 << 20;
  // Width times height, read from the header before anything is allocated.
  uint64_t max_pixels = 40'000'000;
  // Width and height each: OpenCV's warp counts pixels in 16 bits.
  int max_side = 32766;
};

// Decodes JPEG, PNG, WebP, BMP or PGM (and PPM) to upright BGR: grey and palette images are
// expanded, alpha is dropped, 16 bits become 8. kImageTooLarge past a limit, kImageUndecodable for
// anything that does not decode whole (a truncated or damaged JPEG too). Thread-safe.
StatusOr<Image> DecodeImage(std::string_view encoded, const DecodeLimits& limits);

}  // namespace facegate
