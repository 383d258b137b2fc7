#pragma once

#include <vector>

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/surface.h"

namespace facegate::synthetic {

// The two ears. u runs from the rim in front (-1) to the rim behind (1), v from top (-1) to lobe.
std::vector<Surface> MakeEars(const FaceIdentity& face);

// Neck and shoulders.
Surface MakeBust(const FaceIdentity& face);

// Rims, bridge and temples; they sit on the nose at height kLensY.
std::vector<Surface> MakeGlasses(const FaceIdentity& face);
constexpr float kLensY = 0.3F;

// The outline of a lens around its centre: 1 on it, less inside.
float LensDistance(const FaceIdentity& face, float u, float v);

}  // namespace facegate::synthetic
