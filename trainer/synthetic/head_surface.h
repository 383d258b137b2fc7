#pragma once

#include <opencv2/core/types.hpp>

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/surface.h"

namespace facegate::synthetic {

// The head with its features and the view's expression, not yet turned.
Surface MakeHead(const FaceIdentity& face, const FaceView& view);

// The point of the head that is painted with (u, v).
Vector3 HeadPoint(const Surface& head, float u, float v);

// x of the mouth's corners, larger in a smile, and their y.
cv::Point2f MouthCorner(const FaceIdentity& face, const FaceView& view);
// Returns how far the mouth is open in its middle, cm.
float MouthGap(const FaceView& view);

}  // namespace facegate::synthetic
