#pragma once

#include <cmath>
#include <opencv2/core/types.hpp>

#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

// A turn of space: the rows of its matrix.
struct Turn {
  Vector3 x{1.0F, 0.0F, 0.0F};
  Vector3 y{0.0F, 1.0F, 0.0F};
  Vector3 z{0.0F, 0.0F, 1.0F};

  Vector3 operator()(const Vector3& a) const { return {Dot(x, a), Dot(y, a), Dot(z, a)}; }
};

// Turns by `yaw` to the right of the picture, then by `pitch` downwards, then by `roll` clockwise.
Turn MakeTurn(float yaw, float pitch, float roll);

// Places the view's head in a picture: it is turned about the neck, then seen in perspective.
class PinholeCamera {
 public:
  // `scale` is pixels per cm on the plane of the face, `centre` where the point between the eyes
  // of a frontal face is seen.
  PinholeCamera(const FaceView& view, float scale, cv::Point2f centre)
      : distance_(view.distance + kFacePlane), focal_(scale * view.distance), centre_(centre) {}

  // x and y in pixels, z is kept.
  Vector3 Project(const Vector3& a) const {
    const float s = focal_ / (distance_ - a.z);
    return {centre_.x + s * a.x, centre_.y + s * a.y, a.z};
  }
  // The opposite.
  Vector3 Lift(float pixel_x, float pixel_y, float z) const {
    const float s = (distance_ - z) / focal_;
    return {(pixel_x - centre_.x) * s, (pixel_y - centre_.y) * s, z};
  }
  Vector3 TowardsViewer(const Vector3& a) const {
    return Normalized({-a.x, -a.y, distance_ - a.z});
  }

 private:
  static constexpr float kFacePlane = 8.0F;  // z of eyes and mouth, cm

  const float distance_;
  const float focal_;
  const cv::Point2f centre_;
};

}  // namespace facegate::synthetic
