#pragma once

#include <opencv2/core/mat.hpp>

#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

// Turns a picture upright by its EXIF orientation (1 to 8; anything else is taken as 1). Moves
// pixels and computes none, so the pictures of all eight orientations are equal to the bit. Returns
// `stored` itself, sharing its pixels, for orientation 1.
StatusOr<cv::Mat> TurnUpright(const cv::Mat& stored, int orientation, const StopCheck& stop);

}  // namespace facegate
