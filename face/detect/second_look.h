#pragma once

#include <opencv2/core/mat.hpp>
#include <span>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/detect/landmark_net.h"
#include "face/image/image.h"

namespace facegate {

// The frame of the average face (face_frame.h) in the 8-bit grey crop of ArcFace's size, of
// kLandmarkCropSide: what the landmark network and the quality network are shown.
cv::Mat CutAlignedFrame(const cv::Mat& grey_crop);

// Asks the landmark network about such a cut. kInternal when it fails.
StatusOr<SecondLook> LookAgain(LandmarkNet& net, const cv::Mat& frame);

// Returns how far `landmarks`, five or two eyes in pixels of ArcFace's crop, are from those of the
// look: the mean distance in shares of the distance of the eyes.
double LandmarkMisfit(const SecondLook& look, std::span<const cv::Point2f> landmarks);

// A face, aligned as ArcFace's crop, and its landmarks there.
struct AlignedView {
  AlignedFace crop;
  Landmarks landmarks;
};
// kNoFace as AlignFace().
StatusOr<AlignedView> ViewOfFace(const Image& image, const Landmarks& landmarks);

}  // namespace facegate
