#include "trainer/synthetic/pinhole_camera.h"

namespace facegate::synthetic {

Turn MakeTurn(float yaw, float pitch, float roll) {
  const float cy = std::cos(yaw);
  const float sy = std::sin(yaw);
  const float cp = std::cos(pitch);
  const float sp = std::sin(pitch);
  const float cr = std::cos(roll);
  const float sr = std::sin(roll);
  const Turn turned{
      .x = {cy, 0.0F, sy}, .y = {-sp * sy * -1.0F, cp, sp * cy}, .z = {-cp * sy, -sp, cp * cy}};
  return {.x = turned.x * cr - turned.y * sr, .y = turned.x * sr + turned.y * cr, .z = turned.z};
}

}  // namespace facegate::synthetic
