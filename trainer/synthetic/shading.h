#pragma once

#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/paint.h"
#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

// A place of a surface as light and viewer see it, in the camera's frame.
struct Place {
  Vector3 normal;         // unit length
  Vector3 viewer;         // unit vector towards it
  Vector3 strand;         // unit vector along the hair; zero on other surfaces
  float openness = 1.0F;  // share of the sky that is seen
  float key = 1.0F;       // share of the key light that arrives
};

// The light that comes back, linear.
Vector3 Shade(const Paint& paint, const Place& place, const FaceView& view);

}  // namespace facegate::synthetic
