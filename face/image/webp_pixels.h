#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"
#include "face/image/pixels.h"

namespace facegate {

// Decodes the pixels of a WebP, not yet turned upright, into `bgr` (of the header's size), by
// libwebp itself: they equal those of cv::imdecode, but for transparency, which is laid on white.
// Not cv::imdecode, because that tries the other formats' decoders on what libwebp does not know,
// and cannot be stopped. `stop` is asked after every few kilobytes: a picture that is mostly of one
// colour can take tens of milliseconds between. `header` is ParseWebpHeader(encoded). Thread-safe.
Status DecodeWebpPixels(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                        const PixelRows& bgr);

}  // namespace facegate
