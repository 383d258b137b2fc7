#pragma once

#include <opencv2/core/mat.hpp>

#include "face/base/status.h"

namespace facegate {

// A BGR or grey picture as BGR, as it is after it was stored as a JPEG of this quality (1 to 100).
StatusOr<cv::Mat> ThroughJpeg(const cv::Mat& picture, int quality);

}  // namespace facegate
