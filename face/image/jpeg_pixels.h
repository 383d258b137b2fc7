#pragma once

#include <opencv2/core/mat.hpp>
#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"

namespace facegate {

// Reads the pixels of a JPEG as 8-bit BGR, not yet turned upright, by libjpeg itself and with its
// default settings (the accurate integer DCT, smooth upsampling), so that they equal those of
// cv::imdecode. That one is not used, because it hides libjpeg's warnings: a picture whose data end
// too early or are damaged comes back with grey or shifted blocks. Here it is refused. A file
// without its end marker is taken where all of the picture is there: each row, and in a progressive
// file each bit of each coefficient. `header` is ParseJpegHeader(encoded); what libjpeg finds must
// agree with it. Thread-safe.
StatusOr<cv::Mat> DecodeJpegPixels(std::string_view encoded, const ImageHeader& header,
                                   const StopCheck& stop);

}  // namespace facegate
