#pragma once

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/noise.h"
#include "trainer/synthetic/paint.h"

namespace facegate::synthetic {

// Lips, teeth and the line between.
void PaintMouth(const FaceIdentity& face, const FaceView& view, const Noise& noise, float u,
                float v, Paint& paint);

}  // namespace facegate::synthetic
