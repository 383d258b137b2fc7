#pragma once

#include <array>
#include <span>
#include <vector>

#include "trainer/synthetic/surface.h"
#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

// Knows how far light from one direction gets: depths as the light sees them, on a coarse grid.
class ShadowMap {
 public:
  // `light` is a unit vector towards the light.
  explicit ShadowMap(const Vector3& light);

  // Points that `hidden` is true for throw no shadow.
  void Add(const Surface& surface, const std::vector<bool>& hidden);

  // 0 in shadow to 1 in full light, with soft edges.
  float LightAt(const Vector3& position) const;

 private:
  static constexpr int kSide = 112;
  static constexpr float kReach = 17.0F;      // cm around the middle of the head
  static constexpr float kTolerance = 0.45F;  // cm, against surfaces that shade themselves

  void AddTriangle(const Vector3& a, const Vector3& b, const Vector3& c);
  Vector3 ToMap(const Vector3& position) const;

  const Vector3 light_;
  Vector3 right_;
  Vector3 down_;
  std::vector<float> depths_;
};

}  // namespace facegate::synthetic
