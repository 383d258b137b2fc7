#pragma once

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/noise.h"
#include "trainer/synthetic/paint.h"

namespace facegate::synthetic {

// The eye at the side of `u`: lids, lashes, ball. `paint` comes with the skin's colour.
void PaintEye(const FaceIdentity& face, const FaceView& view, const Noise& noise, float u, float v,
              Paint& paint);

}  // namespace facegate::synthetic
