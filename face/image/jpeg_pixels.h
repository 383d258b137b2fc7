#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"
#include "face/image/pixels.h"

namespace facegate {

// Decodes the pixels of a JPEG, not yet turned upright, into `bgr` (of the header's size), by
// libjpeg itself and with its default settings (the accurate integer DCT, smooth upsampling), so
// that they equal those of cv::imdecode. Not cv::imdecode, because that hides libjpeg's warnings: a
// picture whose data end too early or are damaged comes back with grey or shifted blocks. Here it
// is refused. A file without its end marker is taken where all of the picture is there: each row,
// and in a progressive file each bit of each coefficient. `header` is ParseJpegHeader(encoded);
// what libjpeg finds must agree with it. Thread-safe.
Status DecodeJpegPixels(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                        const PixelRows& bgr);

}  // namespace facegate
