#include "trainer/synthetic/head_outline.h"

#include <array>
#include <cmath>

#include "trainer/synthetic/curves.h"

namespace facegate::synthetic {
namespace {

constexpr float kSkullStart = -2.0F;  // above it the skull closes
constexpr float kDepth = 9.0F;

// 1 at 0, 0 at 1, like a circle's quarter; the greater the power, the later it falls.
float Closing(float t, float power) {
  return t <= 0.0F ? 1.0F : std::sqrt(std::max(0.0F, 1.0F - std::pow(t, power)));
}

}  // namespace

CrossSection HeadSection(const FaceIdentity& face, float y) {
  if (y < kSkullStart) {
    const float t = (kSkullStart - y) / (face.skull_height + kSkullStart);
    return {.width = face.skull_width * Closing(t, 2.6F),
            .depth = kDepth * Closing(t, 2.9F + face.forehead_bulge)};
  }
  const std::array widths = {Knot{kSkullStart, face.skull_width}, Knot{3.0F, face.cheek_width},
                             Knot{7.5F, face.jaw_width}, Knot{face.chin_y, face.chin_width}};
  const std::array depths = {Knot{kSkullStart, kDepth}, Knot{0.0F, 8.9F}, Knot{3.0F, 9.0F},
                             Knot{7.0F, 9.2F}, Knot{face.chin_y, 8.7F}};
  const float under = (y - 7.6F) / (face.chin_y - 7.6F);
  const float below = (y - 9.0F) / (face.chin_y - 9.0F);
  return {.width = CurveThrough(widths, y) * Closing(under, face.chin_squareness),
          .depth = CurveThrough(depths, y) * (0.35F + 0.65F * Closing(below, 3.0F))};
}

CrossSection HairSection(const FaceIdentity& face, float y) {
  if (y < kSkullStart) return HeadSection(face, y);
  const std::array widths = {Knot{kSkullStart, face.skull_width}, Knot{3.0F, face.cheek_width},
                             Knot{9.0F, face.cheek_width - 0.3F},
                             Knot{24.0F, face.cheek_width + 0.8F}};
  const std::array depths = {Knot{kSkullStart, kDepth}, Knot{5.0F, 8.6F}, Knot{14.0F, 7.5F}};
  return {.width = CurveThrough(widths, y), .depth = CurveThrough(depths, y)};
}

}  // namespace facegate::synthetic
