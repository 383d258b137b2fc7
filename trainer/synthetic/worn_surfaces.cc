#include "trainer/synthetic/worn_surfaces.h"

#include <array>
#include <cmath>

#include "trainer/synthetic/curves.h"
#include "trainer/synthetic/head_outline.h"

namespace facegate::synthetic {
namespace {

constexpr float kPi = 3.14159265F;

Surface MakeEar(const FaceIdentity& face, float side) {
  constexpr size_t kRows = 15;
  constexpr size_t kColumns = 17;
  Surface ear(Material::kEar, kRows, kColumns);
  const Vector3 centre{side * (HeadSection(face, 1.8F).width - 0.15F), 1.3F, -0.6F};
  const float cosine = std::cos(face.ear_angle);
  const float sine = std::sin(face.ear_angle);
  for (size_t row = 0; row < kRows; ++row) {
    const float latitude = kPi * static_cast<float>(row) / static_cast<float>(kRows - 1);
    for (size_t column = 0; column < kColumns; ++column) {
      const float longitude = kPi * (static_cast<float>(column) / (kColumns - 1) * 2.0F - 0.5F);
      // A flat ellipsoid in the plane of y and z, narrower below, turned away from the head.
      const float down = -std::cos(latitude);
      const float narrow = std::sin(latitude) * (1.0F - 0.22F * down);
      const float flat = 0.45F * narrow * std::cos(longitude);
      const float back = -1.9F * face.ear_size * narrow * std::sin(longitude) - 1.0F;
      const float out = flat * cosine - back * sine;
      SurfacePoint& point = ear.at(row, column);
      point.u = narrow * std::sin(longitude);
      point.v = down;
      point.position = {centre.x + side * out, centre.y + 3.1F * face.ear_size * down,
                        centre.z + back * cosine + flat * sine};
      point.openness = 0.9F;
    }
  }
  SetNormals(ear);
  for (SurfacePoint& point : ear.points) {
    const Vector3 outward = point.position - Vector3{centre.x, point.position.y, centre.z - 1.0F};
    if (Dot(point.normal, outward) < 0.0F) point.normal = point.normal * -1.0F;
  }
  return ear;
}

// Lies before the face and bends back at the sides.
float LensDepth(float x) { return 10.5F - 0.04F * x * x; }

// A band between two curves of points.
template <typename Inner, typename Outer>
Surface Band(size_t steps, Inner inner, Outer outer) {
  Surface band(Material::kFrame, 2, steps + 1);
  for (size_t i = 0; i <= steps; ++i) {
    const float t = static_cast<float>(i) / static_cast<float>(steps);
    band.at(0, i).position = outer(t);
    band.at(1, i).position = inner(t);
    band.at(0, i).normal = Normalized({0.0F, -0.6F, 0.8F});
    band.at(1, i).normal = Normalized({0.0F, 0.6F, 0.8F});
  }
  return band;
}

Vector3 OnRim(const FaceIdentity& face, float side, float t, float growth) {
  const float angle = 2.0F * kPi * t;
  const float power = 2.0F / face.lens_squareness;
  const auto bent = [&](float value) {
    return std::copysign(std::pow(std::abs(value), power), value);
  };
  const float x = side * (face.eye_x + 0.1F) + (face.lens_width + growth) * bent(std::cos(angle));
  return {x, kLensY + (face.lens_height + growth) * bent(std::sin(angle)), LensDepth(x)};
}

}  // namespace

std::vector<Surface> MakeEars(const FaceIdentity& face) {
  return {MakeEar(face, -1.0F), MakeEar(face, 1.0F)};
}

Surface MakeBust(const FaceIdentity& face) {
  constexpr size_t kRows = 40;
  constexpr size_t kColumns = 49;
  const float neck = face.neck_width;
  const float shoulder = 21.0F - 3.5F * face.femininity;
  const std::array widths = {Knot{6.0F, neck - 0.4F},      Knot{13.0F, neck},
                             Knot{16.0F, neck + 1.8F},     Knot{18.5F, 0.62F * shoulder},
                             Knot{21.5F, 0.9F * shoulder}, Knot{26.0F, shoulder},
                             Knot{60.0F, shoulder}};
  const std::array depths = {Knot{6.0F, neck - 0.3F}, Knot{14.0F, neck}, Knot{20.0F, 8.5F},
                             Knot{30.0F, 10.5F}, Knot{60.0F, 11.0F}};
  Surface bust(Material::kBust, kRows, kColumns);
  for (size_t row = 0; row < kRows; ++row) {
    const float t = static_cast<float>(row) / static_cast<float>(kRows - 1);
    const float y = 6.0F + 54.0F * t * (0.45F + 0.55F * t);
    const float width = CurveThrough(widths, y);
    const float depth = CurveThrough(depths, y);
    for (size_t column = 0; column < kColumns; ++column) {
      const float angle =
          0.75F * kPi *
          (2.0F * static_cast<float>(column) / static_cast<float>(kColumns - 1) - 1.0F);
      SurfacePoint& point = bust.at(row, column);
      point.u = angle;
      point.v = y;
      point.position = {width * std::sin(angle), y, depth * std::cos(angle) - 1.6F};
      // The head takes light from the neck.
      point.openness = Mix(0.25F, 1.0F, SmoothStep(9.0F, 19.0F, y));
    }
  }
  SetNormals(bust);
  return bust;
}

std::vector<Surface> MakeGlasses(const FaceIdentity& face) {
  const float half = 0.5F * face.frame_thickness;
  std::vector<Surface> parts;
  parts.reserve(5);
  for (const float side : {-1.0F, 1.0F}) {
    parts.push_back(Band(
        40, [&](float t) { return OnRim(face, side, t, -half); },
        [&](float t) { return OnRim(face, side, t, half); }));
    const float rim = face.eye_x + 0.1F + face.lens_width;
    const float head = HeadSection(face, -0.5F).width + 0.35F;
    const auto temple = [=](float t, float y) {
      return Vector3{side * Mix(rim, head, std::min(1.0F, 3.0F * t)), y,
                     Mix(LensDepth(rim), -1.5F, t)};
    };
    parts.push_back(Band(
        12, [&](float t) { return temple(t, -0.4F + half); },
        [&](float t) { return temple(t, -0.4F - half); }));
  }
  const float gap = face.eye_x + 0.1F - face.lens_width;
  const auto bridge = [&](float t, float y) {
    const float x = gap * (2.0F * t - 1.0F);
    return Vector3{x, y - 0.35F * (1.0F - Square(2.0F * t - 1.0F)), LensDepth(x) + 0.15F};
  };
  parts.push_back(Band(
      10, [&](float t) { return bridge(t, 0.1F + half); },
      [&](float t) { return bridge(t, 0.1F - half); }));
  return parts;
}

float LensDistance(const FaceIdentity& face, float u, float v) {
  const float x = std::abs(std::abs(u) - face.eye_x - 0.1F) / face.lens_width;
  const float y = std::abs(v - kLensY) / face.lens_height;
  const float n = face.lens_squareness;
  return std::pow(x, n) + std::pow(y, n);
}

}  // namespace facegate::synthetic
