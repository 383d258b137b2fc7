#pragma once

#include <opencv2/core/types.hpp>
#include <vector>

#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

// Draws what is out of focus behind the face: a wall, a room, lights at night, leaves. Linear
// colours, row by row. Follows from the view alone.
std::vector<Vector3> DrawBackground(const FaceView& view, cv::Size size);

}  // namespace facegate::synthetic
