#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/synthetic/vector3.h"

namespace facegate::synthetic {

enum class Material : uint8_t { kNothing, kSkin, kHair, kEar, kBust, kFrame };

struct SurfacePoint {
  Vector3 position;
  Vector3 normal;
  // The place of its paint: on the face x and y of the neutral face in cm, on hair and bust the
  // angle around the head in radians (0 in front) and y in cm.
  float u = 0.0F;
  float v = 0.0F;
  float openness = 1.0F;  // 0..1, how much of the surrounding light reaches it
};

// A grid of points, row by row, seen from the side that the normals point to.
struct Surface {
  Material material = Material::kNothing;
  size_t rows = 0;
  size_t columns = 0;
  std::vector<SurfacePoint> points;

  Surface(Material the_material, size_t the_rows, size_t the_columns)
      : material(the_material), rows(the_rows), columns(the_columns), points(rows * columns) {}

  SurfacePoint& at(size_t row, size_t column) { return points[row * columns + column]; }
  const SurfacePoint& at(size_t row, size_t column) const { return points[row * columns + column]; }
};

// Sets the normals from the neighbours' positions. Rows run downwards and columns to the right, as
// seen from outside.
void SetNormals(Surface& surface);

}  // namespace facegate::synthetic
