#include "trainer/synthetic/surface.h"

namespace facegate::synthetic {

void SetNormals(Surface& surface) {
  for (size_t row = 0; row < surface.rows; ++row) {
    const size_t above = row == 0 ? 0 : row - 1;
    const size_t below = row + 1 == surface.rows ? row : row + 1;
    for (size_t column = 0; column < surface.columns; ++column) {
      const size_t left = column == 0 ? 0 : column - 1;
      const size_t right = column + 1 == surface.columns ? column : column + 1;
      const Vector3 down = surface.at(below, column).position - surface.at(above, column).position;
      const Vector3 across = surface.at(row, right).position - surface.at(row, left).position;
      surface.at(row, column).normal = Normalized(Cross(across, down));
    }
  }
}

}  // namespace facegate::synthetic
