#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"
#include "face/image/pixels.h"

namespace facegate {

// Decodes the pixels of a PNG, not yet turned upright, into `bgr` (of the header's size): palettes
// and grey are expanded, the high byte of 16 bits is kept, transparency is laid on white. By libpng
// itself, because cv::imdecode drops alpha, cannot be stopped, and reads the texts and profiles
// beside the pixels, of which a small file can hold gigabytes. `header` is
// ParsePngHeader(encoded). Thread-safe.
Status DecodePngPixels(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                       const PixelRows& bgr);

}  // namespace facegate
