#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

// Lays `width` BGRA pixels (the colours not multiplied by alpha) on white, as viewers show them:
// what lies under full transparency is often a leftover that nobody was meant to see.
void LayOnWhite(const uint8_t* bgra, int width, uint8_t* bgr);

// The same for a whole picture of type CV_8UC4.
StatusOr<cv::Mat> LaidOnWhite(const cv::Mat& bgra, const StopCheck& stop);

}  // namespace facegate
