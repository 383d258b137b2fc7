#pragma once

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/hair_surface.h"
#include "trainer/synthetic/noise.h"
#include "trainer/synthetic/paint.h"

namespace facegate::synthetic {

// Colours of the head. Holds references to what it is made of. Thread-safe.
class FacePaint {
 public:
  FacePaint(const FaceIdentity& face, const FaceView& view, const HairLine& hair_line,
            const Noise& noise);

  Paint Skin(float u, float v) const;
  Paint Ear(float u, float v) const;
  Paint Hair(float angle, float y) const;
  Paint Bust(float angle, float y) const;

 private:
  void PaintSkinMarks(float u, float v, Paint& paint) const;
  void PaintBeard(float u, float v, Paint& paint) const;
  void PaintNose(float u, float v, Paint& paint) const;
  void PaintBrow(float u, float v, Paint& paint) const;
  void PaintScalp(float u, float v, Paint& paint) const;

  const FaceIdentity& face_;
  const FaceView& view_;
  const HairLine& hair_line_;
  const Noise& noise_;
  const Vector3 skin_;
};

}  // namespace facegate::synthetic
