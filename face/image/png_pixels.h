#pragma once

#include <opencv2/core/mat.hpp>
#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"

namespace facegate {

// The pixels of a PNG as 8-bit BGR, not yet turned upright: palettes and grey are expanded, the
// high byte of 16 bits is kept, transparency is laid on white. By libpng itself, because
// cv::imdecode drops alpha, cannot be stopped, and reads the texts and profiles beside the pixels,
// of which a small file can hold gigabytes. `header` is ParsePngHeader(encoded). Thread-safe.
StatusOr<cv::Mat> DecodePngPixels(std::string_view encoded, const ImageHeader& header,
                                  const StopCheck& stop);

}  // namespace facegate
