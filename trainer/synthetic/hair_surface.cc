#include "trainer/synthetic/hair_surface.h"

#include <array>
#include <cmath>
#include <vector>

#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/head_outline.h"

namespace facegate::synthetic {
namespace {

constexpr float kPi = 3.14159265F;
constexpr float kDegree = kPi / 180.0F;

bool IsLong(const FaceIdentity& face) {
  return face.hair_style == HairStyle::kBob || face.hair_style == HairStyle::kLong;
}

float EndAt(const FaceIdentity& face, float angle) {
  if (face.hair_style == HairStyle::kBald) return -20.0F;
  const float a = std::abs(angle) / kDegree;
  const bool fringe = face.hair_style == HairStyle::kFringe;
  const float front = fringe ? face.brow_y - 1.0F : face.hairline - 2.4F * face.receding;
  // A parting lets one side hang lower.
  const float swept = 1.0F * face.parting * std::sin(angle);
  if (IsLong(face)) {
    const std::array knots = {Knot{0.0F, front},
                              Knot{28.0F, face.hairline + 0.2F},
                              Knot{46.0F, -4.2F},
                              Knot{57.0F, -0.5F},
                              Knot{66.0F, face.hair_length - 1.5F},
                              Knot{85.0F, face.hair_length},
                              Knot{180.0F, face.hair_length}};
    return CurveThrough(knots, a) + 1.6F * swept * SmoothStep(60.0F, 30.0F, a);
  }
  const bool curls = face.hair_style == HairStyle::kCurls;
  const float side = curls ? 3.0F + 3.0F * face.femininity : 1.2F;
  const std::array knots = {
      Knot{0.0F, front},
      Knot{24.0F, fringe ? front : face.hairline - 4.2F * face.receding},
      Knot{44.0F, fringe ? front : face.hairline + 1.6F - 1.5F * face.receding},
      Knot{58.0F, -2.6F},
      Knot{68.0F, side},
      Knot{80.0F, side - 0.4F},
      Knot{92.0F, curls ? side : -1.2F},
      Knot{112.0F, curls ? side + 2.0F : 1.5F},
      Knot{140.0F, 6.5F},
      Knot{180.0F, 7.0F}};
  return CurveThrough(knots, a) + swept * SmoothStep(60.0F, 35.0F, a);
}

}  // namespace

HairLine::HairLine(const FaceIdentity& face) {
  for (size_t i = 0; i < ends_.size(); ++i) {
    ends_[i] = EndAt(face, kPi * (2.0F * static_cast<float>(i) / kSteps - 1.0F));
  }
}

float HairLine::At(float angle) const {
  const float place = Clamp01(0.5F + angle / (2.0F * kPi)) * kSteps;
  const auto i = std::min(static_cast<size_t>(place), kSteps - 1);
  return Mix(ends_[i], ends_[i + 1], place - static_cast<float>(i));
}

bool HairCovers(const FaceIdentity& face, const FaceView& view, const HairLine& line,
                const Noise& noise, float angle, float y) {
  const float end = line.At(angle);
  if (y > end + 1.4F) return false;
  const bool cropped = face.hair_style == HairStyle::kCropped;
  const float strand = noise.Signed(angle * 34.0F, 7.0F + y * 0.35F) +
                       0.6F * noise.Signed(angle * 80.0F, 29.0F + y * 0.7F);
  const bool fringe = face.hair_style == HairStyle::kFringe;
  const bool side = std::abs(angle) > 1.05F;
  const float ragged = cropped ? 0.6F : (fringe || side ? 0.9F : 0.45F) + 0.9F * view.hair_mess;
  if (cropped) {
    const float grain = noise.Signed(angle * 60.0F, y * 8.0F);
    return y < end + ragged * (0.5F * strand + grain);
  }
  return y < end + ragged * strand;
}

Surface MakeHair(const FaceIdentity& face, const FaceView& view, const HairLine& line,
                 const Noise& noise) {
  constexpr size_t kColumns = 97;
  constexpr size_t kCapRows = 16;
  const float volume = face.hair_volume * (0.85F + 0.3F * view.hair_mess);
  const float lowest = IsLong(face) ? face.hair_length + 2.0F : 10.0F;
  const float top = -face.skull_height;
  const size_t rows = kCapRows + static_cast<size_t>((lowest + 3.6F) / 0.5F) + 1;
  const float power = 2.0F / face.flatness;
  const bool curls = face.hair_style == HairStyle::kCurls;
  const bool fringe = face.hair_style == HairStyle::kFringe;

  Surface hair(Material::kHair, rows, kColumns);
  for (size_t row = 0; row < rows; ++row) {
    const float step = static_cast<float>(row);
    const float y = row < kCapRows ? -3.6F + (top + 3.6F) * std::cos(0.5F * kPi * step / kCapRows)
                                   : -3.6F + 0.5F * (step - kCapRows);
    const CrossSection section = HairSection(face, y);
    // Above the skull the shell closes higher by its thickness.
    const float rise = volume * Square(Clamp01((-2.0F - y) / (face.skull_height - 2.0F)));
    for (size_t column = 0; column < kColumns; ++column) {
      const float angle =
          kPi * (2.0F * static_cast<float>(column) / static_cast<float>(kColumns - 1) - 1.0F);
      const float margin = line.At(angle) - y;
      const float least = fringe ? 0.3F : 0.06F;
      float thick = least + (volume - least) * SmoothStep(-0.3F, fringe ? 1.5F : 3.0F, margin);
      const float bumps =
          curls ? 0.55F * volume * noise.Signed(angle * 6.0F, y * 0.9F)
                : 0.35F * noise.Signed(angle * 5.0F, 11.0F + y * 0.25F) * std::min(volume, 1.5F);
      thick = std::max(0.05F, thick + bumps * SmoothStep(0.0F, 2.0F, margin));
      const float sine = std::sin(angle);
      const float cosine = std::cos(angle);
      const float wave =
          face.hair_wave * 0.35F * std::sin(y * 0.9F + 3.0F * sine) * SmoothStep(0.0F, 5.0F, y);
      SurfacePoint& point = hair.at(row, column);
      point.u = angle;
      point.v = y;
      point.position = {
          (section.width + thick + wave) * std::copysign(std::pow(std::abs(sine), power), sine),
          y - rise * thick / std::max(volume, 0.1F),
          (section.depth + thick) * std::copysign(std::pow(std::abs(cosine), power), cosine)};
      point.openness = Mix(0.55F, 1.0F, SmoothStep(11.0F, 2.0F, y));
    }
  }
  SetNormals(hair);
  return hair;
}

}  // namespace facegate::synthetic
