#pragma once

#include <cmath>
#include <cstdint>
#include <opencv2/core/types.hpp>
#include <vector>

#include "trainer/synthetic/surface.h"

namespace facegate::synthetic {

// The nearest surface behind a pixel.
struct Fragment {
  float z = kFar;
  float u = 0.0F;
  float v = 0.0F;
  float openness = 1.0F;
  Vector3 normal;
  Material material = Material::kNothing;

  static constexpr float kFar = -1.0e9F;
};

// Pixels of a picture with their nearest fragments.
class ZBuffer {
 public:
  explicit ZBuffer(cv::Size size)
      : size_(size),
        fragments_(static_cast<size_t>(size.width) * static_cast<size_t>(size.height)) {}

  cv::Size size() const { return size_; }
  const Fragment& at(int x, int y) const { return fragments_[Index(x, y)]; }

  // Adds a surface whose points have x and y in pixels; `covers(u, v)` says where it is not a hole.
  // Both sides are seen where `two_sided`.
  template <typename Covers>
  void Add(const Surface& surface, bool two_sided, Covers covers) {
    for (size_t row = 0; row + 1 < surface.rows; ++row) {
      for (size_t column = 0; column + 1 < surface.columns; ++column) {
        const SurfacePoint& a = surface.at(row, column);
        const SurfacePoint& b = surface.at(row, column + 1);
        const SurfacePoint& c = surface.at(row + 1, column);
        const SurfacePoint& d = surface.at(row + 1, column + 1);
        AddTriangle(surface.material, two_sided, a, b, d, covers);
        AddTriangle(surface.material, two_sided, a, d, c, covers);
      }
    }
  }

 private:
  size_t Index(int x, int y) const {
    return static_cast<size_t>(y) * static_cast<size_t>(size_.width) + static_cast<size_t>(x);
  }

  template <typename Covers>
  void AddTriangle(Material material, bool two_sided, const SurfacePoint& a, const SurfacePoint& b,
                   const SurfacePoint& c, Covers covers) {
    const Vector3& pa = a.position;
    const Vector3& pb = b.position;
    const Vector3& pc = c.position;
    const float area = (pb.x - pa.x) * (pc.y - pa.y) - (pc.x - pa.x) * (pb.y - pa.y);
    if (area == 0.0F || (area < 0.0F && !two_sided)) return;
    const int left = std::max(0, Ceil(std::min({pa.x, pb.x, pc.x})));
    const int right = std::min(size_.width - 1, Floor(std::max({pa.x, pb.x, pc.x})));
    const int top = std::max(0, Ceil(std::min({pa.y, pb.y, pc.y})));
    const int bottom = std::min(size_.height - 1, Floor(std::max({pa.y, pb.y, pc.y})));
    const float scale = 1.0F / area;
    const float step_b = (pc.y - pa.y) * scale;
    const float step_c = (pa.y - pb.y) * scale;
    for (int y = top; y <= bottom; ++y) {
      const float dy = static_cast<float>(y) - pa.y;
      const float dx = static_cast<float>(left) - pa.x;
      float share_b = dx * step_b - dy * (pc.x - pa.x) * scale;
      float share_c = dx * step_c + dy * (pb.x - pa.x) * scale;
      Fragment* fragment = &fragments_[Index(0, y)] + left;
      for (int x = left; x <= right; ++x, ++fragment, share_b += step_b, share_c += step_c) {
        const float share_a = 1.0F - share_b - share_c;
        if (share_a < -kEdge || share_b < -kEdge || share_c < -kEdge) continue;
        const auto blend = [&](float va, float vb, float vc) {
          return va * share_a + vb * share_b + vc * share_c;
        };
        const float z = blend(pa.z, pb.z, pc.z);
        if (z <= fragment->z) continue;
        const float u = blend(a.u, b.u, c.u);
        const float v = blend(a.v, b.v, c.v);
        if (!covers(u, v)) continue;
        *fragment = {.z = z,
                     .u = u,
                     .v = v,
                     .openness = blend(a.openness, b.openness, c.openness),
                     .normal = a.normal * share_a + b.normal * share_b + c.normal * share_c,
                     .material = material};
      }
    }
  }

  static constexpr float kEdge = 1.0e-4F;  // no gaps between triangles

  static int Floor(float x) { return static_cast<int>(std::floor(x)); }
  static int Ceil(float x) { return static_cast<int>(std::ceil(x)); }

  const cv::Size size_;
  std::vector<Fragment> fragments_;
};

}  // namespace facegate::synthetic
