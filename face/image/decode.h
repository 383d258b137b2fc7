#pragma once

#include <cstdint>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image.h"

namespace facegate {

enum class ImageFormat { kJpeg, kPng, kWebp, kBmp, kPgm };

struct DecodeLimits {
  // Bytes of the encoded image.
  uint64_t max_bytes = 8 << 20;
  // Width times height, read from the header before anything is allocated.
  uint64_t max_pixels = 40'000'000;
};

// What the header of an encoded image says.
struct ImageHeader {
  ImageFormat format = ImageFormat::kJpeg;
  int width = 0;  // before the orientation is applied
  int height = 0;
  int orientation = 1;  // EXIF 2.3 tag 0x0112, 1 to 8; 1 where absent or invalid
};

// Reads no pixels and allocates nothing in proportion to the claimed size. kImageUndecodable when
// the bytes are none of the formats or the header is broken.
StatusOr<ImageHeader> ParseImageHeader(std::string_view encoded);

// Decodes JPEG, PNG, WebP, BMP or PGM to upright BGR: grey and palette images are expanded, alpha
// is dropped, 16 bits become 8. kImageTooLarge past a limit, kImageUndecodable for anything that
// does not decode whole (a truncated JPEG too). Thread-safe.
StatusOr<Image> DecodeImage(std::string_view encoded, const DecodeLimits& limits);

}  // namespace facegate
