#pragma once

#include <array>
#include <cstddef>

#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/noise.h"
#include "trainer/synthetic/surface.h"

namespace facegate::synthetic {

// Knows where the hair ends. Thread-safe after construction.
class HairLine {
 public:
  explicit HairLine(const FaceIdentity& face);

  // Its lower end at an angle around the head (radians in -pi..pi, 0 in front, positive to the
  // right of the picture), as a y in cm.
  float At(float angle) const;

 private:
  static constexpr size_t kSteps = 360;

  std::array<float, kSteps + 1> ends_;
};

// A shell around the head; HairCovers says where it is hair, elsewhere one looks through it.
Surface MakeHair(const FaceIdentity& face, const FaceView& view, const HairLine& line,
                 const Noise& noise);

// True when there is hair at a place of the shell.
bool HairCovers(const FaceIdentity& face, const FaceView& view, const HairLine& line,
                const Noise& noise, float angle, float y);

}  // namespace facegate::synthetic
