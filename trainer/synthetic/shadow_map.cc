#include "trainer/synthetic/shadow_map.h"

#include <algorithm>
#include <cmath>

namespace facegate::synthetic {

ShadowMap::ShadowMap(const Vector3& light)
    : light_(light), depths_(static_cast<size_t>(kSide) * kSide, -1.0e9F) {
  const Vector3 down{0.0F, 1.0F, 0.0F};
  right_ = Normalized(Cross(down, light));
  down_ = Cross(light, right_);
}

Vector3 ShadowMap::ToMap(const Vector3& position) const {
  const float scale = kSide / (2.0F * kReach);
  return {(Dot(position, right_) + kReach) * scale, (Dot(position, down_) + kReach) * scale,
          Dot(position, light_)};
}

void ShadowMap::Add(const Surface& surface, const std::vector<bool>& hidden) {
  std::vector<Vector3> points(surface.points.size());
  for (size_t i = 0; i < points.size(); ++i) points[i] = ToMap(surface.points[i].position);
  constexpr size_t kStep = 2;  // the map is coarser than the surface
  for (size_t row = 0; row + kStep < surface.rows; row += kStep) {
    for (size_t column = 0; column + kStep < surface.columns; column += kStep) {
      const size_t a = row * surface.columns + column;
      const size_t b = a + kStep;
      const size_t c = a + kStep * surface.columns;
      const size_t d = c + kStep;
      if (!hidden.empty() && (hidden[a] || hidden[b] || hidden[c] || hidden[d])) continue;
      AddTriangle(points[a], points[b], points[d]);
      AddTriangle(points[a], points[d], points[c]);
    }
  }
}

void ShadowMap::AddTriangle(const Vector3& a, const Vector3& b, const Vector3& c) {
  const float area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
  if (area == 0.0F) return;
  const float scale = 1.0F / area;
  const auto low = [](float p, float q, float r) {
    return std::max(0, static_cast<int>(std::ceil(std::min({p, q, r}))));
  };
  const auto high = [](float p, float q, float r) {
    return std::min(kSide - 1, static_cast<int>(std::floor(std::max({p, q, r}))));
  };
  const int left = low(a.x, b.x, c.x);
  const int right = high(a.x, b.x, c.x);
  const int bottom = high(a.y, b.y, c.y);
  for (int y = low(a.y, b.y, c.y); y <= bottom; ++y) {
    for (int x = left; x <= right; ++x) {
      const float dx = static_cast<float>(x) - a.x;
      const float dy = static_cast<float>(y) - a.y;
      const float share_b = (dx * (c.y - a.y) - dy * (c.x - a.x)) * scale;
      const float share_c = (dy * (b.x - a.x) - dx * (b.y - a.y)) * scale;
      if (share_b < 0.0F || share_c < 0.0F || share_b + share_c > 1.0F) continue;
      float& depth = depths_[static_cast<size_t>(y) * kSide + static_cast<size_t>(x)];
      depth = std::max(depth, a.z + (b.z - a.z) * share_b + (c.z - a.z) * share_c);
    }
  }
}

float ShadowMap::LightAt(const Vector3& position) const {
  const Vector3 place = ToMap(position);
  const auto left = static_cast<int>(std::floor(place.x - 0.5F));
  const auto top = static_cast<int>(std::floor(place.y - 0.5F));
  if (left < 0 || top < 0 || left + 2 >= kSide || top + 2 >= kSide) return 1.0F;
  const float fx = place.x - 0.5F - static_cast<float>(left);
  const float fy = place.y - 0.5F - static_cast<float>(top);
  // The mean over a square of two cells' width.
  const std::array<float, 3> weight_x = {1.0F - fx, 1.0F, fx};
  const std::array<float, 3> weight_y = {1.0F - fy, 1.0F, fy};
  float light = 0.0F;
  for (int y = 0; y < 3; ++y) {
    const float* row = &depths_[static_cast<size_t>(top + y) * kSide + static_cast<size_t>(left)];
    for (int x = 0; x < 3; ++x) {
      // Light turns to dark over a span of depths, so that no steps show.
      const float behind = row[x] - place.z - kTolerance;
      const float lit = std::clamp(1.0F - behind * 2.5F, 0.0F, 1.0F);
      light += weight_x[static_cast<size_t>(x)] * weight_y[static_cast<size_t>(y)] * lit;
    }
  }
  return 0.25F * light;
}

}  // namespace facegate::synthetic
