#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image_header.h"

namespace facegate {

// The bits of a pixel that belong to a channel; as BMP stores them, in one contiguous run. None:
// the channel is absent.
struct BmpMasks {
  uint32_t blue = 0;
  uint32_t green = 0;
  uint32_t red = 0;
  uint32_t alpha = 0;
};

// Tells where the pixels of a bitmap lie and how they are written.
struct BmpLayout {
  int width = 0;
  int height = 0;
  bool top_down = false;  // the first row is the top one
  uint32_t bits = 0;      // of a pixel: 1, 4 or 8 into the palette, 16, 24 or 32
  BmpMasks masks;         // for 16 and 32 bits
  size_t palette_offset = 0;
  size_t palette_entry_bytes = 4;  // blue, green, red, and one without a meaning unless 3
  size_t colours = 0;              // in the palette
  size_t pixel_offset = 0;
  size_t row_bytes = 0;  // padded to four
};

// Reads the headers of a Windows or OS/2 bitmap and checks that the palette and the rows that they
// announce are there. Run-length coded bitmaps are refused.
StatusOr<BmpLayout> ParseBmpLayout(std::string_view encoded);
StatusOr<ImageHeader> ParseBmpHeader(std::string_view encoded);

}  // namespace facegate
