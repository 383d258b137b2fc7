#pragma once

#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

// Says what a place of a surface looks like before light falls on it.
struct Paint {
  Vector3 colour;           // share of light that it sends back
  float gloss = 0.0F;       // strength of the highlight
  float sharpness = 14.0F;  // exponent of the highlight
  float glow = 0.0F;        // white added as it is: the spark in an eye
  bool soft = false;        // light enters it and comes out redder, as in skin
};

}  // namespace facegate::synthetic
