#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <vector>

namespace facegate {

// A decoded picture: 8-bit BGR, upright (EXIF orientation applied), never empty. Copies share
// pixels (cv::Mat counts references); nobody writes to them after decoding, so an Image may be read
// from several threads.
struct Image {
  cv::Mat bgr;

  int width() const { return bgr.cols; }
  int height() const { return bgr.rows; }
};

// A face cut out and aligned: 8-bit BGR, of exactly the size of its alignment template
// (CropSize()).
struct AlignedFace {
  cv::Mat bgr;
};

// Points of a face in pixels of the upright picture; x grows to the right, y down, the centre of
// the first pixel is (0, 0). Either five (the eye at the left of the picture, the eye at its right,
// nose tip, left and right mouth corner) or two (the eyes, in the same order).
using Landmarks = std::vector<cv::Point2f>;

}  // namespace facegate
