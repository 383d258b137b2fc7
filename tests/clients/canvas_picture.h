#pragma once

#include <opencv2/core.hpp>

#include "clients/cli/canvas.h"

namespace facegate::cli {

// What is drawn on a canvas, as a picture of OpenCV.
inline cv::Mat PictureOf(const Canvas& canvas) {
  const PixelView pixels = canvas.view();
  return cv::Mat(pixels.height, pixels.width, CV_8UC3, const_cast<uint8_t*>(pixels.first)).clone();
}

}  // namespace facegate::cli
