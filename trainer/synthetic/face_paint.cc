#include "trainer/synthetic/face_paint.h"

#include <array>
#include <cmath>

#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/eye_paint.h"
#include "trainer/synthetic/hair_surface.h"
#include "trainer/synthetic/mouth_paint.h"

namespace facegate::synthetic {
namespace {

float Spot(float x, float y, float radius_x, float radius_y) {
  return Bell(Square(x / radius_x) + Square(y / radius_y));
}

}  // namespace

FacePaint::FacePaint(const FaceIdentity& face, const FaceView& view, const HairLine& hair_line,
                     const Noise& noise)
    : face_(face), view_(view), hair_line_(hair_line), noise_(noise), skin_(face.skin * view.tan) {}

Paint FacePaint::Skin(float u, float v) const {
  const float ax = std::abs(u);
  // Blood near the surface: cheeks, nose, chin; blotches and pores over all.
  const float blood = 0.8F * Spot(ax - 4.0F, v - 3.6F, 2.6F, 2.4F) +
                      0.8F * Spot(u, v - face_.nose_length, 1.6F, 1.8F) +
                      0.3F * Spot(u, v - face_.chin_y + 1.2F, 2.0F, 1.6F) +
                      0.5F * noise_.Signed(u * 0.6F, v * 0.6F);
  const float red = face_.ruddiness * blood;
  Paint paint{.colour = skin_ * Vector3{1.0F + 0.04F * red, 1.0F - 0.2F * red, 1.0F - 0.24F * red},
              .gloss = face_.gloss,
              .soft = true};
  const float mottle = 0.1F * noise_.Signed(3.0F + u * 1.7F, v * 1.7F) +
                       (0.07F + 0.06F * face_.wrinkles) * noise_.Signed(u * 7.0F, 17.0F + v * 7.0F);
  paint.colour = paint.colour * (1.0F + mottle);
  // Forehead, nose and cheekbones shine.
  paint.gloss *= 0.6F + 0.7F * Spot(u, v + 4.5F, 4.0F, 2.5F) +
                 0.9F * Spot(u, v - 2.5F, 1.3F, 3.5F) +
                 0.5F * Spot(ax - 4.4F, v - 2.2F, 1.8F, 1.4F);
  PaintSkinMarks(u, v, paint);
  PaintScalp(u, v, paint);
  PaintBeard(u, v, paint);
  PaintNose(u, v, paint);
  PaintEye(face_, view_, noise_, u, v, paint);
  PaintBrow(u, v, paint);
  PaintMouth(face_, view_, noise_, u, v, paint);
  return paint;
}

void FacePaint::PaintSkinMarks(float u, float v, Paint& paint) const {
  const float ax = std::abs(u);
  if (face_.freckles > 0.0F) {
    const float zone = Spot(ax - 2.4F, v - 2.4F, 3.6F, 2.8F);
    const float dots = SmoothStep(0.66F, 0.86F, noise_.At(u * 4.5F, 33.0F + v * 4.5F));
    paint.colour =
        Mix(paint.colour, paint.colour * Vector3{0.72F, 0.52F, 0.4F}, face_.freckles * zone * dots);
  }
  for (const Mole& mole : face_.moles) {
    const float spot = Bell((Square(u - mole.x) + Square(v - mole.y)) / Square(mole.radius * 1.3F));
    if (spot > 0.0F) {
      paint.colour =
          Mix(paint.colour, skin_ * Vector3{0.3F, 0.2F, 0.18F}, std::min(1.0F, 1.6F * spot));
    }
  }
  // Folds from nose to mouth, deeper in a smile and with age.
  const float smile = std::max(0.0F, view_.smile);
  const float t = (v - face_.nose_length - 0.6F) / (face_.mouth_y - face_.nose_length);
  if (t > 0.0F && t < 1.15F) {
    const float fold_x = face_.nose_width + 0.7F + t * (1.5F + 0.4F * smile) - 0.6F * t * t;
    const float depth = (0.06F + 0.26F * smile + 0.26F * face_.wrinkles) *
                        SmoothStep(0.0F, 0.25F, t) * SmoothStep(1.15F, 0.6F, t);
    const float away = ax - fold_x;
    // Sharp towards the lip, soft towards the cheek.
    paint.colour =
        paint.colour * (1.0F - depth * Bell(Square(away / (away < 0.0F ? 0.35F : 0.9F))));
  }
  const float lines = face_.wrinkles * 0.7F + 0.25F * std::max(0.0F, view_.brow_raise);
  if (lines > 0.05F && v < -3.0F && v > -6.8F) {
    const float wave = v + 0.25F * noise_.Signed(u * 0.5F, 5.0F) + 0.03F * u * u;
    const float phase = wave * 0.95F - std::floor(wave * 0.95F) - 0.5F;
    const float broken =
        SmoothStep(0.25F, 0.6F, noise_.At(u * 0.7F, 50.0F + std::floor(wave * 0.95F)));
    paint.colour = paint.colour * (1.0F - 0.4F * lines * broken * Bell(Square(phase / 0.12F)) *
                                              SmoothStep(5.0F, 3.0F, ax));
  }
  // Crow's feet.
  const float feet = face_.wrinkles + 0.6F * smile * SmoothStep(25.0F, 50.0F, face_.age);
  const float dx = ax - face_.eye_x - face_.eye_width;
  if (feet > 0.05F && dx > 0.1F && dx < 1.6F && std::abs(v) < 1.2F) {
    const float ray = v / (dx + 0.9F) * 3.2F;
    const float phase = ray - std::floor(ray) - 0.5F;
    paint.colour =
        paint.colour * (1.0F - 0.3F * feet * Bell(Square(phase / 0.2F)) *
                                   SmoothStep(1.6F, 0.5F, dx) * SmoothStep(0.1F, 0.3F, dx));
  }
}

void FacePaint::PaintScalp(float u, float v, Paint& paint) const {
  // Skin under hair that is cut short, and shaven heads.
  if (v > 2.0F) return;

  const float angle = u / 6.9F * (1.0F + 0.25F * Square(u / 6.9F));
  const bool bald = face_.hair_style == HairStyle::kBald;
  const float end =
      bald ? face_.hairline - 2.4F * face_.receding + 0.11F * u * u : hair_line_.At(angle);
  const float edge = SmoothStep(0.55F, -0.5F,
                                v - end - 0.5F * noise_.Signed(u * 2.0F, v) -
                                    0.7F * noise_.Signed(u * 7.0F + 1.4F * v, 3.0F + v));
  const float shaved = bald ? 0.2F * (1.0F - face_.receding) : 0.75F;
  paint.colour = Mix(paint.colour, face_.hair * 0.6F, shaved * edge);
}

void FacePaint::PaintBeard(float u, float v, Paint& paint) const {
  if (face_.beard == BeardStyle::kNone || v < 0.0F) return;
  const float ax = std::abs(u);
  const bool jaw = face_.beard == BeardStyle::kFull || face_.beard == BeardStyle::kStubble;
  float cover = 0.0F;
  if (jaw || face_.beard == BeardStyle::kGoatee) {
    // The upper edge falls from the sideburns to the mouth's corners and below the lip.
    const std::array edge = {Knot{0.0F, face_.mouth_y + 1.25F},
                             Knot{1.2F, face_.mouth_y + 1.5F},
                             Knot{2.3F, face_.mouth_y + 0.6F},
                             Knot{3.0F, face_.mouth_y - 0.8F},
                             Knot{4.2F, face_.mouth_y - 1.5F},
                             Knot{5.2F, 4.2F},
                             Knot{5.9F, 2.2F},
                             Knot{6.5F, 0.0F}};
    cover = SmoothStep(-0.7F, 0.7F, v - CurveThrough(edge, ax)) * SmoothStep(0.3F, 1.8F, v);
    if (!jaw) cover *= SmoothStep(3.5F, 2.3F, ax + 0.25F * std::abs(v - face_.mouth_y - 1.5F));
  }
  const float lip_top = face_.mouth_y - 0.75F * face_.upper_lip - 0.2F;
  const float moustache = SmoothStep(lip_top - 1.25F, lip_top - 0.75F, v + 0.08F * ax * ax) *
                          SmoothStep(lip_top + 0.35F, lip_top + 0.05F, v - 0.12F * ax * ax) *
                          SmoothStep(3.2F, 2.5F, ax);
  cover = std::max(cover, moustache);
  if (cover <= 0.0F) return;
  const bool stubble = face_.beard == BeardStyle::kStubble;
  const float strand =
      stubble ? noise_.At(u * 11.0F, v * 11.0F) : noise_.At(u * 7.0F + 0.8F * v, 21.0F + v * 2.2F);
  const float thick = Clamp01(face_.beard_density * view_.beard_growth);
  const float density = stubble ? cover * thick * (0.25F + 0.5F * strand)
                                : thick * SmoothStep(0.25F, 0.8F, cover + 0.55F * (strand - 0.5F));
  paint.colour = Mix(paint.colour, face_.beard_colour * (0.65F + 0.7F * strand), density);
  paint.gloss *= 1.0F - 0.7F * density;
}

void FacePaint::PaintNose(float u, float v, Paint& paint) const {
  const float tip = face_.nose_length;
  if (v < tip - 0.6F || v > tip + 2.0F) return;
  const float ax = std::abs(u);
  const float hole_y = tip + 0.72F - 0.1F * face_.nose_upturn;
  const float hole = Spot(ax - 0.58F * face_.nose_width, v - hole_y, 0.6F, 0.36F);
  paint.colour = Mix(paint.colour, FromDisplay(48, 22, 18) * (0.35F + 0.65F * face_.skin.x),
                     std::min(0.94F, 2.4F * hole));
  const float groove = Spot(ax - face_.nose_width - 0.55F, v - tip - 0.45F, 0.28F, 0.8F);
  const float under = Spot(u, v - tip - 1.2F, 1.6F, 0.5F);
  paint.colour = paint.colour * (1.0F - 0.4F * groove) * (1.0F - 0.28F * under);
}

void FacePaint::PaintBrow(float u, float v, Paint& paint) const {
  const float x = (std::abs(u) - face_.brow_gap) / (face_.brow_length + 1.3F);  // 0..1 outwards
  if (x < -0.12F || x > 1.08F || v > face_.brow_y + 1.5F || v < face_.brow_y - 2.0F) return;
  // Rises to two thirds and falls again.
  const float rise = face_.brow_arch * 4.0F * x * (1.15F - x) + face_.brow_tilt * (x - 0.3F) * 3.0F;
  const float middle = face_.brow_y + 0.35F - rise + 0.55F * x * x;
  const float thickness = face_.brow_thickness * (0.62F + 0.38F * SmoothStep(0.0F, 0.25F, x)) *
                          SmoothStep(1.08F, 0.45F, x) * 0.75F;
  if (thickness < 0.02F) return;
  const float away = std::abs(v - middle) / thickness;
  const float hairs = noise_.At(u * 6.5F + 3.0F * v, 11.0F + v * 2.0F + u);
  const float edge =
      SmoothStep(1.25F, 0.55F, away + 0.5F * (hairs - 0.5F)) * SmoothStep(-0.1F, 0.06F, x);
  paint.colour =
      Mix(paint.colour, face_.brow_colour * (0.7F + 0.6F * hairs), face_.brow_density * edge);
  paint.gloss *= 1.0F - edge;
}

Paint FacePaint::Ear(float u, float v) const {
  Paint paint{
      .colour = skin_ * Vector3{1.0F, 0.88F, 0.86F}, .gloss = 0.5F * face_.gloss, .soft = true};
  const float shell = Spot(u + 0.05F, v + 0.05F, 0.62F, 0.8F);
  const float fold =
      Bell(Square((std::sqrt(u * u + v * v) - 0.72F) / 0.2F)) * SmoothStep(0.6F, 0.0F, v);
  paint.colour = paint.colour * (1.0F - 0.55F * shell) * (1.0F - 0.25F * fold);
  return paint;
}

Paint FacePaint::Hair(float angle, float y) const {
  const bool curls = face_.hair_style == HairStyle::kCurls;
  const float along = curls ? 9.0F : 1.0F;
  // Strands in front sweep to both sides of the parting, at the sides they hang down.
  const float beside = (angle - 0.5F * face_.parting) / 0.45F;
  const float sweep = beside / (1.0F + std::abs(beside)) * SmoothStep(2.0F, 0.3F, std::abs(angle));
  const float wave = 0.03F * face_.hair_wave * std::sin(y * 0.9F + 2.0F * angle);
  const float across = angle + 0.11F * sweep * SmoothStep(2.0F, -5.0F, y) * (y + 12.0F) + wave;
  const float lock = noise_.At(across * 11.0F, along * 0.16F * y);
  const float strand = noise_.At(across * 37.0F, 40.0F + along * 0.22F * y);
  const float fine = noise_.At(across * 90.0F, 9.0F + along * 0.5F * y);
  // Darker at the roots, where scalp and shadow show between strands.
  const float root = SmoothStep(-0.2F, 2.2F, hair_line_.At(angle) - y);
  const float light =
      (0.35F + 0.75F * lock + 0.5F * strand + 0.3F * (fine - 0.5F)) * (0.75F + 0.25F * root);
  return {.colour = face_.hair * light,
          .gloss = (curls ? 0.05F : 0.08F + 0.1F * strand) * (0.3F + 0.7F * root),
          .sharpness = 9.0F};
}

Paint FacePaint::Bust(float angle, float y) const {
  const float line = view_.neckline - 0.9F * SmoothStep(0.5F, 2.0F, std::abs(angle)) * 3.0F;
  if (y < line) {
    const float mottle = 0.1F * noise_.Signed(angle * 8.0F, y);
    return {.colour = skin_ * (0.95F + mottle), .gloss = 0.5F * face_.gloss, .soft = true};
  }
  const float weave = 1.0F + 0.16F * noise_.Signed(angle * 5.0F, y * 0.4F) +
                      0.08F * noise_.Signed(angle * 60.0F, y * 5.0F);
  const bool stripe = std::fmod(y + 100.0F, 2.4F) < 1.2F;
  const float hem = SmoothStep(0.0F, 0.5F, y - line);
  return {.colour = (stripe ? view_.cloth_stripe : view_.cloth) * (weave * (0.6F + 0.4F * hem)),
          .gloss = 0.03F};
}

}  // namespace facegate::synthetic
