#pragma once

#include <opencv2/core/mat.hpp>
#include <span>

#include "face/base/status.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

// Makes of linear light (row by row) what a camera does: exposure, white balance, tone curve, blur,
// sensor noise, JPEG. 8-bit BGR. `eye_distance` in pixels scales the blur.
StatusOr<cv::Mat> TakePhoto(std::span<const Vector3> light, cv::Size size, const FaceView& view,
                            float eye_distance);

}  // namespace facegate::synthetic
