#pragma once

#include <array>
#include <opencv2/core/types.hpp>
#include <vector>

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/surface.h"
#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

struct Framing {
  cv::Size size;       // of the picture, pixels
  float scale = 8.0F;  // pixels per cm of the face
  cv::Point2f centre;  // of a frontal face's eyes
};

// Returns where the eyes, the nose's tip and the mouth's corners are seen, in the order of
// Landmarks. `head` comes from MakeHead.
std::array<cv::Point2f, 5> FindLandmarks(const FaceIdentity& face, const FaceView& view,
                                         const Surface& head, const Framing& framing);

// The lit scene as a perfect camera sees it: linear colours, row by row.
std::vector<Vector3> DrawScene(const FaceIdentity& face, const FaceView& view, Surface head,
                               const Framing& framing);

}  // namespace facegate::synthetic
