#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <optional>

#include "face/base/status.h"
#include "face/detect/face_frame.h"
#include "face/detect/landmark_net.h"
#include "face/image/image.h"
#include "face/weights/network_weights.h"

namespace facegate {

struct FoundLandmarks {
  Landmarks points;         // five
  FaceFrame frame;          // of these points
  double confidence = 0.0;  // that they are a face's, 0..1
};

// The frame of the average face in a box of haarcascade_frontalface_alt2, edges in pixels. The
// weights are those of a network that LandmarkNet::Create() takes.
FaceFrame FrameOfBox(const LandmarkWeights& weights, const cv::Rect2d& box);

// Looks for the landmarks of the face in `start` of the 8-bit grey `picture`: once there, and again
// in the frame of what the first look found. Nothing where the second look's confidence is below
// `least_confidence`, or the first one's far below.
StatusOr<std::optional<FoundLandmarks>> FindLandmarks(LandmarkNet& net, const cv::Mat& picture,
                                                      const FaceFrame& start,
                                                      double least_confidence);

}  // namespace facegate
