#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/image_format.h"

namespace facegate {

// What the header of an encoded image says.
struct ImageHeader {
  ImageFormat format = ImageFormat::kJpeg;
  int width = 0;  // pixels, 1 or more, before the orientation is applied
  int height = 0;
  int orientation = 1;  // EXIF 2.3 tag 0x0112, 1 to 8; 1 where absent or invalid
};

// Finds the format, the size and the orientation, and walks through the container (JPEG markers,
// PNG and RIFF chunks) to its end, so that a truncated file is found before it is decoded. Reads no
// pixels and allocates nothing in proportion to the claimed size. kImageUndecodable, saying
// what the bytes are, when they are not one of the formats that are taken, when the header is
// broken or when the end is missing.
StatusOr<ImageHeader> ParseImageHeader(std::string_view encoded);

}  // namespace facegate
