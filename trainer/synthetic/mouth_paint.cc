#include "trainer/synthetic/mouth_paint.h"

#include <cmath>

#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/head_surface.h"

namespace facegate::synthetic {
namespace {

// Teeth above, dark and a tongue below.
Vector3 InsideMouth(const FaceIdentity& face, float x, float depth, float gap) {
  const Vector3 dark = FromDisplay(56, 20, 20);
  const float tooth = std::abs(x * 1.35F - std::floor(x * 1.35F) - 0.5F);  // 0.5 between two teeth
  const float teeth_height = 0.55F + 0.08F * SmoothStep(0.5F, 0.2F, tooth);
  const float teeth = SmoothStep(teeth_height + 0.1F, teeth_height, depth) *
                      SmoothStep(face.mouth_width, 0.6F * face.mouth_width, std::abs(x));
  const Vector3 enamel =
      FromDisplay(228, 220, 206) * (1.0F - 0.35F * SmoothStep(0.4F, 0.5F, tooth));
  const float tongue =
      SmoothStep(0.55F, 0.9F, depth / std::max(gap, 0.1F)) * SmoothStep(0.5F, 1.0F, gap);
  return Mix(Mix(dark, FromDisplay(150, 76, 74), tongue), enamel, 0.92F * teeth);
}

}  // namespace

void PaintMouth(const FaceIdentity& face, const FaceView& view, const Noise& noise, float u,
                float v, Paint& paint) {
  const cv::Point2f corner = MouthCorner(face, view);
  const float across = std::abs(u) / corner.x;
  if (across > 1.35F || v < face.mouth_y - 2.2F || v > face.mouth_y + 3.2F) return;
  const float arch = std::max(0.0F, 1.0F - across * across);
  // The line between the lips runs from corner to corner with a little wave in its middle.
  const float line = Mix(face.mouth_y, corner.y, across * across) + 0.07F * Bell(Square(u / 0.8F)) -
                     0.05F * Bell(Square((across - 0.45F) / 0.4F));
  // Painted on the face at rest: the jaw carries the lower lip down by itself.
  const float gap = MouthGap(view) * std::sqrt(arch) * 0.62F;
  const float inner_top = line - 0.3F * gap;
  const float inner_low = line + 0.7F * gap;
  const float stretch = 1.0F - 0.22F * std::max(0.0F, view.smile);
  const float bow = 1.0F - face.lip_bow * Bell(Square(u / 0.55F)) +
                    0.12F * Bell(Square((std::abs(u) - 0.6F) / 0.5F));
  const float top = inner_top - stretch * face.upper_lip * bow * std::pow(arch, 0.8F);
  const float low = inner_low + stretch * face.lower_lip * std::pow(arch, 0.65F);

  const float rim = 0.07F;
  const float lip = SmoothStep(top - rim, top + rim, v) * SmoothStep(low + rim, low - rim, v) *
                    SmoothStep(1.02F, 0.94F, across);
  if (lip > 0.0F) {
    const float grain = 1.0F + 0.25F * noise.Signed(u * 9.0F, 40.0F + v * 1.6F);
    const float shade = v < line ? 0.82F : 1.0F;  // the upper lip looks down
    paint.colour = Mix(paint.colour, face.lips * (grain * shade * view.tan), lip);
    paint.gloss = Mix(paint.gloss, v < line ? 0.12F : 0.38F, lip);
    paint.sharpness = Mix(paint.sharpness, 26.0F, lip);
  }
  const float below = Bell(Square((v - low - 0.28F) / 0.4F)) * SmoothStep(0.8F, 0.3F, across);
  paint.colour = paint.colour * (1.0F - 0.2F * below);

  if (gap > 0.05F && v > inner_top && v < inner_low) {
    paint.colour = InsideMouth(face, u, v - inner_top, gap);
    paint.gloss = 0.15F;
    paint.soft = false;
  }
  const float edge = std::min(std::abs(v - inner_top), std::abs(v - inner_low));
  const float dark = Bell(Square(edge / 0.13F)) * SmoothStep(1.08F, 0.96F, across);
  paint.colour =
      Mix(paint.colour, FromDisplay(60, 24, 22) * (0.4F + 0.6F * face.skin.x), 0.75F * dark);
  const float nook =
      Bell(Square((std::abs(u) - corner.x - 0.05F) / 0.35F) + Square((v - corner.y) / 0.3F));
  paint.colour = paint.colour * (1.0F - 0.45F * nook);
}

}  // namespace facegate::synthetic
