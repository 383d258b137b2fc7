#pragma once

#include <opencv2/core/mat.hpp>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image_header.h"

namespace facegate {

// The pixels of a WebP as 8-bit BGR, not yet turned upright, alpha dropped, by libwebp itself:
// equal to those of cv::imdecode. Not cv::imdecode, because libwebp refuses more files than
// ParseWebpHeader() does, and OpenCV then lets its other decoders look: some match anywhere in a
// file (DICOM), and get the picture as a temporary file. `header` is ParseWebpHeader(encoded); what
// libwebp finds must agree with it. Thread-safe.
StatusOr<cv::Mat> DecodeWebpPixels(std::string_view encoded, const ImageHeader& header);

}  // namespace facegate
