#pragma once

#include <array>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <span>

#include "face/base/status.h"

namespace facegate {

// A turned square in a picture. Its own coordinates run from (0, 0) at the top left corner to
// (1, 1) at the bottom right one; in pictures, points are as in Landmarks.
struct FaceFrame {
  cv::Point2d centre;  // pixels of the picture, the centre of the first pixel is (0, 0)
  double side = 0.0;   // pixels
  double angle = 0.0;  // radians, clockwise as seen

  cv::Point2d ToPicture(const cv::Point2d& own) const;
  cv::Point2d FromPicture(const cv::Point2d& point) const;
};

// Returns where the five landmarks of an average face lie in its frame: ArcFace's template, of
// which the frame is a part without the margins.
const std::array<cv::Point2d, 5>& AverageFace();

// The frame in which five landmarks lie as near to those of the average face as a similarity
// transform brings them. kNoFace where there is none.
StatusOr<FaceFrame> FrameOfLandmarks(std::span<const cv::Point2f> landmarks);

// The part of the 8-bit one-channel `picture` in the frame as `size` × `size` pixels: bilinear,
// whole blocks of pixels are averaged first where the frame is shown at half its size or smaller.
// Outside the picture its edge goes on; mid grey where the frame lies wholly outside.
cv::Mat CutFrame(const cv::Mat& picture, const FaceFrame& frame, int size);

}  // namespace facegate
