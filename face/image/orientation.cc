#include "face/image/orientation.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "face/image/row_steps.h"

namespace facegate {
namespace {

constexpr ptrdiff_t kPixelBytes = 3;
// So many columns of the upright picture, which are rows of the stored one, are filled at a time:
// their bytes stay in the processor's first cache.
constexpr int kColumnsAtATime = 64;

// How one goes over the stored bytes to meet the pixels in their upright order.
struct Walk {
  const uint8_t* start;
  ptrdiff_t right;
  ptrdiff_t down;
};

// EXIF 2.3, 4.6.4: the value says which sides of the scene the first row and the first column are.
Walk WalkOver(const PixelView& stored, int orientation) {
  const auto row = static_cast<ptrdiff_t>(stored.stride);
  const ptrdiff_t last_column = (stored.width - 1) * kPixelBytes;
  const uint8_t* const top = stored.first;
  const uint8_t* const bottom = stored.row(stored.height - 1);
  switch (orientation) {
    case 2:  // top, right
      return {top + last_column, -kPixelBytes, row};
    case 3:  // bottom, right
      return {bottom + last_column, -kPixelBytes, -row};
    case 4:  // bottom, left
      return {bottom, kPixelBytes, -row};
    case 5:  // left, top
      return {top, row, kPixelBytes};
    case 6:  // right, top
      return {bottom, -row, kPixelBytes};
    case 7:  // right, bottom
      return {bottom + last_column, -row, -kPixelBytes};
    case 8:  // left, bottom
      return {top + last_column, row, -kPixelBytes};
    default:  // 1: top, left
      return {top, kPixelBytes, row};
  }
}

}  // namespace

Status TurnUpright(const PixelView& stored, int orientation, const StopCheck& stop,
                   const PixelRows& upright) {
  const Walk walk = WalkOver(stored, orientation);
  const int columns = LiesOnItsSide(orientation) ? kColumnsAtATime : upright.width;
  for (int left = 0; left < upright.width; left += columns) {
    const int count = std::min(columns, upright.width - left);
    for (int y = 0; y < upright.height; ++y) {
      FACEGATE_RETURN_IF_ERROR(AskInRow(stop, y, count));
      const uint8_t* from = walk.start + left * walk.right + y * walk.down;
      uint8_t* to = upright.row(y) + left * kPixelBytes;
      for (int i = 0; i < count; ++i, from += walk.right, to += kPixelBytes) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
      }
    }
  }
  return OkStatus();
}

}  // namespace facegate
