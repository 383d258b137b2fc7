#pragma once

#include <opencv2/core/types.hpp>
#include <span>

#include "face/detect/detector.h"

namespace facegate {

// Tells how a head is turned, as far as five landmarks tell: roughly, as if the nose stood out of
// every face by half the distance of the eyes.
struct HeadPose {
  double yaw = 0.0;    // degrees, positive to the right of the picture
  double pitch = 0.0;  // degrees, positive downwards
};
HeadPose PoseOfLandmarks(std::span<const cv::Point2f, 5> landmarks);

// Degrees, clockwise as seen, -180 to 180; what remains after the face's quarter turns. The face
// has landmarks.
double RollOf(const DetectedFace& face);

// The part of the frame of the average face that lies in a picture of this size, 0..1.
double ShareInPicture(const Landmarks& landmarks, const cv::Size& picture);

}  // namespace facegate
