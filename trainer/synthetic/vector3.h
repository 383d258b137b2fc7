#pragma once

#include <cmath>

namespace facegate::synthetic {

// A point or direction in centimetres (x to the right of the picture, y down, z towards the
// viewer), or a colour in linear light (red, green, blue; 1 is white).
struct Vector3 {
  float x = 0.0F;
  float y = 0.0F;
  float z = 0.0F;

  Vector3& operator+=(const Vector3& b) {
    x += b.x;
    y += b.y;
    z += b.z;
    return *this;
  }
};

inline Vector3 operator+(const Vector3& a, const Vector3& b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Vector3 operator-(const Vector3& a, const Vector3& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Vector3 operator*(const Vector3& a, const Vector3& b) {
  return {a.x * b.x, a.y * b.y, a.z * b.z};
}
inline Vector3 operator*(const Vector3& a, float s) { return {a.x * s, a.y * s, a.z * s}; }

inline float Dot(const Vector3& a, const Vector3& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vector3 Cross(const Vector3& a, const Vector3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline Vector3 Mix(const Vector3& a, const Vector3& b, float share) { return a + (b - a) * share; }
// Unit length; the zero vector stays.
inline Vector3 Normalized(const Vector3& a) {
  const float squared = Dot(a, a);
  return squared > 0.0F ? a * (1.0F / std::sqrt(squared)) : a;
}

// Linear light of an 8-bit display colour (gamma 2, the curve that ToDisplay undoes).
inline Vector3 FromDisplay(float red, float green, float blue) {
  const auto linear = [](float value) { return value * value / (255.0F * 255.0F); };
  return {linear(red), linear(green), linear(blue)};
}

}  // namespace facegate::synthetic
