#pragma once

#include <opencv2/core/mat.hpp>

#include "face/image/pixels.h"

namespace facegate {

// The pixels of a picture of OpenCV, of 8 bits a channel. They live as long as the matrix's do.
inline PixelRows RowsOf(cv::Mat& picture) {
  return {picture.data, picture.cols, picture.rows, picture.channels(), picture.step[0]};
}
inline PixelView ViewOf(const cv::Mat& picture) {
  return {picture.data, picture.cols, picture.rows, picture.channels(), picture.step[0]};
}

}  // namespace facegate
