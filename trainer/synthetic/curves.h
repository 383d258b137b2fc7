#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace facegate::synthetic {

// Plain arithmetic alone, so that a picture is the same on every machine.

inline float Clamp01(float x) { return std::clamp(x, 0.0F, 1.0F); }
inline float Mix(float a, float b, float share) { return a + (b - a) * share; }
inline float Square(float x) { return x * x; }

// 0 up to `low`, 1 from `high` on, smooth between; `low` may be the greater one.
inline float SmoothStep(float low, float high, float x) {
  const float t = Clamp01((x - low) / (high - low));
  return t * t * (3.0F - 2.0F * t);
}

// A bell of height 1 at 0 that is exactly 0 where the squared distance reaches 1.
inline float Bell(float squared_distance) {
  const float t = 1.0F - squared_distance;
  return t > 0.0F ? t * t * t : 0.0F;
}

struct Knot {
  float x = 0.0F;
  float y = 0.0F;
};

// A smooth curve through knots in ascending order of x, level beyond the ends (cubic Hermite
// pieces, tangents from the neighbours).
inline float CurveThrough(std::span<const Knot> knots, float x) {
  if (x <= knots.front().x) return knots.front().y;
  if (x >= knots.back().x) return knots.back().y;
  size_t i = 0;
  while (x > knots[i + 1].x) ++i;
  const auto slope = [&](size_t a, size_t b) {
    return (knots[b].y - knots[a].y) / (knots[b].x - knots[a].x);
  };
  const float width = knots[i + 1].x - knots[i].x;
  const float left = width * slope(i == 0 ? 0 : i - 1, i + 1);
  const float right = width * slope(i, i + 2 == knots.size() ? i + 1 : i + 2);
  const float t = (x - knots[i].x) / width;
  const float u = 1.0F - t;
  return knots[i].y * u * u * (1.0F + 2.0F * t) + knots[i + 1].y * t * t * (3.0F - 2.0F * t) +
         left * t * u * u - right * t * t * u;
}

}  // namespace facegate::synthetic
