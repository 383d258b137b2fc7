#pragma once

#include "trainer/synthetic/face_identity.h"

namespace facegate::synthetic {

// The bare head without features: at each height a cross-section |x/width|^n + |z/depth|^n = 1.
struct CrossSection {
  float width = 0.0F;  // half of it, cm
  float depth = 0.0F;  // of the front, from the axis between the ears
};

// Cuts the head at a height from the crown (y = -skull_height) to the chin (y = chin_y).
CrossSection HeadSection(const FaceIdentity& face, float y);

// The outline that hair lies on: like the head, but without jaw and chin.
CrossSection HairSection(const FaceIdentity& face, float y);

}  // namespace facegate::synthetic
