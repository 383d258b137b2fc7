#include "trainer/synthetic/face_identity.h"

#include <array>
#include <cmath>

#include "face/base/random.h"
#include "trainer/synthetic/curves.h"

namespace facegate::synthetic {
namespace {

constexpr uint64_t kPurpose = 0x6964;  // names the stream

class Draw {
 public:
  explicit Draw(RandomStream random) : random_(random) {}

  // Normal, cut off at two and a half deviations.
  float Around(float mean, float deviation) {
    return mean + deviation * std::clamp(static_cast<float>(random_.Normal()), -2.5F, 2.5F);
  }
  float Between(float low, float high) { return static_cast<float>(random_.Uniform(low, high)); }
  bool Chance(float probability) { return random_.Chance(probability); }
  uint32_t Below(uint32_t bound) { return random_.Below(bound); }
  uint64_t Number() { return random_.Next(); }

 private:
  RandomStream random_;
};

// `position` 0..1 along evenly spaced colours.
template <size_t N>
Vector3 Palette(const std::array<Vector3, N>& colours, float position) {
  const float place = Clamp01(position) * static_cast<float>(N - 1);
  const auto i = std::min(static_cast<size_t>(place), N - 2);
  return Mix(colours[i], colours[i + 1], place - static_cast<float>(i));
}

Vector3 SkinColour(float melanin, Draw& draw) {
  const std::array tones = {FromDisplay(233, 202, 186), FromDisplay(228, 192, 170),
                            FromDisplay(222, 180, 152), FromDisplay(194, 148, 118),
                            FromDisplay(162, 116, 88),  FromDisplay(128, 88, 66),
                            FromDisplay(92, 62, 48)};
  const Vector3 tone = Palette(tones, melanin);
  return tone *
         Vector3{draw.Around(1.0F, 0.04F), draw.Around(1.0F, 0.03F), draw.Around(1.0F, 0.07F)};
}

Vector3 HairColour(const FaceIdentity& face, Draw& draw) {
  const float lightness =
      face.melanin > 0.5F ? draw.Between(0.0F, 0.25F) : draw.Between(0.0F, 1.0F);
  const std::array browns = {FromDisplay(26, 22, 21),   FromDisplay(48, 34, 27),
                             FromDisplay(84, 56, 38),   FromDisplay(128, 88, 56),
                             FromDisplay(178, 136, 86), FromDisplay(222, 190, 138)};
  Vector3 colour = Palette(browns, lightness);
  if (face.melanin < 0.35F && draw.Chance(0.1F)) colour = FromDisplay(150, 72, 36);
  const float grey = SmoothStep(48.0F, 78.0F, face.age + draw.Around(0.0F, 9.0F));
  return Mix(colour, FromDisplay(196, 194, 192), grey);
}

Vector3 IrisColour(float melanin, Draw& draw) {
  const std::array colours = {FromDisplay(54, 34, 22),   FromDisplay(92, 60, 34),
                              FromDisplay(122, 98, 56),  FromDisplay(96, 116, 84),
                              FromDisplay(92, 126, 158), FromDisplay(138, 160, 172)};
  return Palette(colours, draw.Between(0.0F, melanin < 0.4F ? 1.0F : 0.3F));
}

void DrawShape(FaceIdentity& face, Draw& draw) {
  const float f = face.femininity;
  const float full = face.fullness;
  const float old = SmoothStep(35.0F, 75.0F, face.age);
  const float broad = draw.Around(0.0F, 0.35F);  // a factor that widths share
  const float tall = draw.Around(0.0F, 0.4F);
  face.skull_width = draw.Around(7.15F - 0.2F * f, 0.2F) + 0.5F * broad;
  face.skull_height = draw.Around(10.9F, 0.35F) + 0.3F * tall;
  face.cheek_width = draw.Around(6.8F - 0.15F * f, 0.2F) + 0.35F * full + 0.6F * broad;
  face.jaw_width = draw.Around(6.1F - 0.65F * f, 0.35F) + 0.55F * full + 0.6F * broad;
  face.chin_width = draw.Around(4.2F - 0.9F * f, 0.45F) + 0.3F * full;
  face.chin_y = draw.Around(11.4F - 0.6F * f, 0.4F) + 0.5F * tall;
  face.chin_squareness = draw.Around(3.1F - 0.7F * f, 0.4F);
  face.chin_forward = draw.Around(0.7F - 0.2F * f, 0.3F);
  face.cheekbone = draw.Around(0.5F, 0.2F);
  face.forehead_bulge = draw.Around(0.1F * f, 0.2F);
  face.brow_ridge = std::max(0.05F, draw.Around(0.7F - 0.45F * f, 0.18F));
  face.flatness = draw.Around(2.25F, 0.08F);

  face.eye_x = draw.Around(3.07F, 0.14F) + 0.12F * broad;
  face.eye_width = draw.Around(1.48F, 0.09F);
  face.eye_height = draw.Around(0.52F + 0.08F * f - 0.06F * old, 0.07F);
  face.eye_tilt = draw.Around(0.05F + 0.02F * f - 0.05F * old, 0.07F);
  face.eye_depth = draw.Around(1.05F - 0.15F * f, 0.22F);
  face.lid_fold = std::max(0.0F, draw.Around(0.36F, 0.16F));
  face.lashes = Clamp01(draw.Around(0.35F + 0.45F * f, 0.15F));
  face.lid_shadow = draw.Chance(0.45F * f) ? draw.Between(0.15F, 0.6F) : 0.0F;
  face.iris_radius = draw.Around(0.6F, 0.025F);

  face.brow_y = draw.Around(-2.05F - 0.3F * f, 0.2F);
  face.brow_thickness = std::max(0.2F, draw.Around(0.62F - 0.24F * f, 0.11F));
  face.brow_arch = draw.Around(0.25F + 0.2F * f, 0.14F);
  face.brow_tilt = draw.Around(0.06F, 0.07F);
  face.brow_length = draw.Around(2.2F, 0.16F);
  face.brow_density = std::clamp(draw.Around(0.82F - 0.2F * old, 0.15F), 0.3F, 1.0F);
  face.brow_gap = draw.Around(1.25F + 0.1F * f, 0.2F);

  face.nose_length = draw.Around(3.55F - 0.1F * f + 0.12F * old, 0.2F) + 0.15F * tall;
  face.nose_bridge = draw.Around(1.0F - 0.1F * f - 0.35F * face.melanin, 0.2F);
  face.nose_tip = draw.Around(2.35F - 0.15F * f - 0.25F * face.melanin, 0.22F);
  face.nose_width = draw.Around(1.3F - 0.1F * f + 0.3F * face.melanin, 0.14F);
  face.nose_ball = std::max(0.1F, draw.Around(0.42F, 0.13F));
  face.nose_hump = draw.Around(0.05F, 0.16F);
  face.nose_bend = draw.Around(0.0F, 0.09F);
  face.nose_upturn = draw.Around(0.1F * f, 0.14F);

  face.mouth_y = draw.Around(6.34F - 0.1F * f, 0.2F) + 0.25F * tall;
  face.mouth_width = draw.Around(2.55F - 0.1F * f, 0.17F);
  face.upper_lip =
      std::max(0.2F, draw.Around(0.48F + 0.14F * f + 0.2F * face.melanin - 0.15F * old, 0.1F));
  face.lower_lip =
      std::max(0.3F, draw.Around(0.7F + 0.14F * f + 0.2F * face.melanin - 0.15F * old, 0.12F));
  face.lip_bow = draw.Around(0.26F, 0.12F);
  face.mouth_curve = draw.Around(0.14F, 0.1F);
  face.ear_size = draw.Around(1.0F + 0.1F * old, 0.08F);
  face.ear_angle = std::max(0.15F, draw.Around(0.45F, 0.14F));
  face.neck_width = draw.Around(5.7F - 1.1F * f, 0.25F) + 0.3F * full;
}

void DrawColours(FaceIdentity& face, Draw& draw) {
  const float f = face.femininity;
  face.skin = SkinColour(face.melanin, draw);
  face.iris = IrisColour(face.melanin, draw);
  face.ruddiness = std::max(0.0F, draw.Around(0.35F, 0.2F));
  face.freckles = face.melanin < 0.35F && draw.Chance(0.2F) ? draw.Between(0.3F, 1.0F) : 0.0F;
  face.gloss = std::max(0.05F, draw.Around(0.22F, 0.08F));
  const Vector3 natural = face.skin * Vector3{0.86F, 0.54F, 0.54F};
  const std::array sticks = {FromDisplay(170, 40, 52), FromDisplay(196, 92, 98),
                             FromDisplay(140, 44, 70), FromDisplay(206, 84, 70)};
  const bool made_up = draw.Chance(0.45F * f);
  face.lips = made_up ? Mix(natural, sticks[draw.Below(4)], draw.Between(0.35F, 0.85F)) : natural;
  face.wrinkles = SmoothStep(30.0F, 72.0F, face.age) * draw.Between(0.6F, 1.0F);
  const uint32_t moles = draw.Below(5);
  face.moles.reserve(moles);
  for (uint32_t i = 0; i < moles; ++i) {
    face.moles.push_back({.x = draw.Between(-5.0F, 5.0F),
                          .y = draw.Between(-5.0F, 10.0F),
                          .radius = draw.Between(0.09F, 0.22F)});
  }
  face.hair = HairColour(face, draw);
  face.brow_colour = Mix(face.hair, face.skin, 0.15F) * 0.75F;
}

void DrawHairAndBeard(FaceIdentity& face, Draw& draw) {
  const bool woman = draw.Chance(face.femininity);
  const float old = SmoothStep(30.0F, 70.0F, face.age);
  const float kind = draw.Between(0.0F, 1.0F);
  if (woman) {
    face.hair_style = kind < 0.12F   ? HairStyle::kShort
                      : kind < 0.28F ? HairStyle::kFringe
                      : kind < 0.5F  ? HairStyle::kBob
                      : kind < 0.84F ? HairStyle::kLong
                                     : HairStyle::kCurls;
  } else {
    face.hair_style = kind < 0.06F + 0.2F * old ? HairStyle::kBald
                      : kind < 0.4F             ? HairStyle::kCropped
                      : kind < 0.78F            ? HairStyle::kShort
                      : kind < 0.86F            ? HairStyle::kFringe
                      : kind < 0.91F            ? HairStyle::kLong
                                                : HairStyle::kCurls;
    face.receding = Clamp01(draw.Around(0.7F * old, 0.25F));
  }
  face.hairline = draw.Around(-6.5F, 0.4F);
  face.parting = draw.Between(-1.0F, 1.0F);
  face.hair_wave = draw.Between(0.0F, 1.0F);
  switch (face.hair_style) {
    case HairStyle::kBald:
      face.hair_volume = 0.1F;
      break;
    case HairStyle::kCropped:
      face.hair_volume = draw.Between(0.2F, 0.5F);
      break;
    case HairStyle::kShort:
    case HairStyle::kFringe:
      face.hair_volume = draw.Between(0.7F, 1.5F);
      break;
    case HairStyle::kBob:
    case HairStyle::kLong:
      face.hair_volume = draw.Between(0.8F, 1.7F);
      break;
    case HairStyle::kCurls:
      face.hair_volume = draw.Between(1.4F, 3.4F);
      break;
  }
  face.hair_length =
      face.hair_style == HairStyle::kBob ? draw.Between(7.0F, 12.0F) : draw.Between(14.0F, 24.0F);

  if (!woman) {
    const float growth = draw.Between(0.0F, 1.0F);
    face.beard = growth < 0.42F   ? BeardStyle::kNone
                 : growth < 0.62F ? BeardStyle::kStubble
                 : growth < 0.7F  ? BeardStyle::kMoustache
                 : growth < 0.82F ? BeardStyle::kGoatee
                                  : BeardStyle::kFull;
  }
  face.beard_colour = face.hair * draw.Between(0.6F, 1.0F);
  face.beard_density = draw.Between(0.6F, 0.95F);
}

void DrawGlasses(FaceIdentity& face, Draw& draw) {
  face.glasses = draw.Chance(0.17F + 0.25F * SmoothStep(35.0F, 60.0F, face.age));
  face.lens_width = draw.Between(2.25F, 2.75F);
  face.lens_height = draw.Between(1.45F, 2.2F);
  face.lens_squareness = draw.Between(2.0F, 5.0F);
  face.frame_thickness = draw.Between(0.12F, 0.42F);
  const std::array frames = {FromDisplay(24, 22, 24),    FromDisplay(70, 42, 26),
                             FromDisplay(140, 140, 146), FromDisplay(120, 30, 36),
                             FromDisplay(34, 48, 92),    FromDisplay(186, 150, 84)};
  face.frame = frames[draw.Below(static_cast<uint32_t>(frames.size()))];
}

}  // namespace

FaceIdentity DrawIdentity(uint64_t seed, uint64_t identity) {
  Draw draw(RandomStream(seed, kPurpose, identity));
  FaceIdentity face;
  // Most faces lie towards one of the two ends.
  const bool towards_female = draw.Chance(0.5F);
  const float lean = Clamp01(draw.Around(0.12F, 0.14F));
  face.femininity = towards_female ? 1.0F - lean : lean;
  face.age = 18.0F + 60.0F * Square(draw.Between(0.0F, 1.0F)) + draw.Between(0.0F, 6.0F);
  face.melanin = draw.Between(0.0F, 1.0F) * draw.Between(0.7F, 1.0F);
  face.fullness = draw.Around(0.0F, 0.55F);
  DrawShape(face, draw);
  DrawColours(face, draw);
  DrawHairAndBeard(face, draw);
  DrawGlasses(face, draw);
  face.noise_seed = draw.Number();
  return face;
}

}  // namespace facegate::synthetic
