#include "trainer/synthetic/eye_paint.h"

#include <cmath>

#include "trainer/synthetic/curves.h"

namespace facegate::synthetic {
namespace {

// A stroke: 1 on the line, 0 from `width` on.
float Stroke(float distance, float width) { return Bell(Square(distance / width)); }

void PaintEyeball(const FaceIdentity& face, const FaceView& view, const Noise& noise, float x,
                  float y, float below_lid, Paint& paint) {
  const float nook = SmoothStep(0.72F, 1.0F, std::abs(x) / face.eye_width);
  paint.colour = Mix(FromDisplay(206, 200, 194), FromDisplay(206, 156, 144), 0.75F * nook);
  paint.soft = false;
  paint.gloss = 0.25F;
  paint.sharpness = 60.0F;
  const float ix = x - view.gaze_x;
  const float iy = y - view.gaze_y + 0.05F;
  const float radius = std::sqrt(ix * ix + iy * iy) / face.iris_radius;
  if (radius < 1.0F) {
    const float streak =
        noise.Signed(14.0F + 9.0F * ix / (radius + 0.1F), 9.0F * iy / (radius + 0.1F));
    const float limbus = 1.0F - 0.65F * SmoothStep(0.72F, 1.0F, radius);
    const float flower = 1.0F + 0.5F * SmoothStep(0.75F, 0.4F, radius);
    paint.colour = face.iris * ((1.1F + 0.8F * streak) * limbus * flower);
    paint.colour = Mix(paint.colour, FromDisplay(12, 10, 10), SmoothStep(0.46F, 0.4F, radius));
    // The light's mirror image, on its own side.
    const float spark = Square(ix - 0.3F * view.light.x) + Square(iy + 0.2F - 0.15F * view.light.y);
    paint.glow = 0.9F * SmoothStep(0.03F, 0.012F, spark);
  }
  // The lid's shadow.
  paint.colour = paint.colour * (1.0F - 0.65F * SmoothStep(0.5F, 0.0F, below_lid));
}

}  // namespace

void PaintEye(const FaceIdentity& face, const FaceView& view, const Noise& noise, float u, float v,
              Paint& paint) {
  const float side = u < 0.0F ? -1.0F : 1.0F;
  const float dx = std::abs(u) - face.eye_x;  // outwards
  if (std::abs(dx) > 2.4F || std::abs(v) > 1.9F) return;
  // Turned so that a tilted eye lies level.
  const float x = dx - face.eye_tilt * v;
  const float y = v + face.eye_tilt * dx;
  const float across = x / face.eye_width;
  const float arch = std::max(0.0F, 1.0F - across * across);
  const float open = face.eye_height * view.eye_open;
  const float smile = std::max(0.0F, view.smile);
  // The upper lid is highest a little inwards, the lower one lowest a little outwards.
  const float upper = -0.95F * open * std::pow(arch, 0.85F) * (1.0F - 0.22F * across) - 0.06F;
  const float lower = open * (0.66F - 0.25F * smile) * arch * (1.0F + 0.25F * across) + 0.02F;
  const bool within = arch > 0.0F;

  // Lid and crease.
  const float fold = upper - face.lid_fold * (0.45F + 0.55F * arch);
  if (face.lid_fold > 0.08F) {
    const float crease = Stroke(y - fold, 0.17F) * SmoothStep(1.25F, 0.8F, std::abs(across));
    paint.colour = paint.colour * (1.0F - 0.45F * crease);
  }
  const float lid = SmoothStep(fold - 0.25F, fold + 0.15F, y) * SmoothStep(upper + 0.1F, upper, y) *
                    SmoothStep(1.35F, 0.8F, std::abs(across));
  paint.colour = Mix(paint.colour, paint.colour * Vector3{0.5F, 0.42F, 0.46F},
                     lid * (0.25F + face.lid_shadow));
  // The lower lid's moist rim and the bag below it.
  const float bag = Stroke(y - lower - 0.55F, 0.22F) * SmoothStep(1.2F, 0.5F, std::abs(across));
  paint.colour = paint.colour * (1.0F - (0.08F + 0.25F * face.wrinkles) * bag);

  if (within && y > upper && y < lower) {
    PaintEyeball(face, view, noise, side * x, y, y - upper, paint);
  }
  // Lashes: a dark line along the upper lid, heavier outwards; a faint one below.
  const float outer = 0.75F + 0.35F * across;
  const float ends = SmoothStep(1.12F, 0.97F, std::abs(across));
  const float lashes = Stroke(y - upper + 0.03F, (0.12F + 0.1F * face.lashes) * outer) * ends;
  const float below = Stroke(y - lower, 0.08F) * ends * (0.25F + 0.35F * face.lashes);
  const Vector3 dark = Mix(FromDisplay(26, 18, 16), face.brow_colour, 0.3F);
  paint.colour = Mix(paint.colour, dark, std::max(0.92F * lashes, below));
  paint.glow *= 1.0F - lashes;
}

}  // namespace facegate::synthetic
