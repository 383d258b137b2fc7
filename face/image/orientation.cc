#include "face/image/orientation.h"

#include <algorithm>
#include <opencv2/core.hpp>

namespace facegate {
namespace {

constexpr int kAroundVerticalAxis = 1;  // cv::flip: swaps left and right
// Rows that are turned at a time: some 64 kilobytes.
constexpr int kStripPixels = 1 << 16;

// EXIF 2.3, 4.6.4: the value says which sides of the scene the first row and the first column are.
void Turn(const cv::Mat& stored, int orientation, cv::Mat& upright) {
  switch (orientation) {
    case 2:  // top, right
      return cv::flip(stored, upright, kAroundVerticalAxis);
    case 3:  // bottom, right
      return cv::rotate(stored, upright, cv::ROTATE_180);
    case 4:  // bottom, left
      return cv::flip(stored, upright, 0);
    case 5:  // left, top
      return cv::transpose(stored, upright);
    case 6:  // right, top
      return cv::rotate(stored, upright, cv::ROTATE_90_CLOCKWISE);
    case 7: {  // right, bottom: a reflection in the other diagonal
      cv::Mat transposed;
      cv::transpose(stored, transposed);
      return cv::rotate(transposed, upright, cv::ROTATE_180);
    }
    default:  // 8: left, bottom
      return cv::rotate(stored, upright, cv::ROTATE_90_COUNTERCLOCKWISE);
  }
}

// Returns where the stored rows from `first` on, `count` of them, lie in the upright picture.
cv::Rect PlaceOf(const cv::Mat& stored, int orientation, int first, int count) {
  const bool from_the_end =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int at = from_the_end ? stored.rows - first - count : first;
  return orientation < 5 ? cv::Rect(0, at, stored.cols, count)
                         : cv::Rect(at, 0, count, stored.cols);
}

}  // namespace

StatusOr<cv::Mat> TurnUpright(const cv::Mat& stored, int orientation, const StopCheck& stop) {
  if (orientation < 2 || orientation > 8) return stored;
  const bool on_its_side = orientation >= 5;
  cv::Mat upright(on_its_side ? stored.cols : stored.rows, on_its_side ? stored.rows : stored.cols,
                  stored.type());
  const int rows_at_a_time = std::max(1, kStripPixels / stored.cols);
  for (int first = 0; first < stored.rows; first += rows_at_a_time) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const int count = std::min(rows_at_a_time, stored.rows - first);
    cv::Mat strip = upright(PlaceOf(stored, orientation, first, count));
    Turn(stored.rowRange(first, first + count), orientation, strip);
  }
  return upright;
}

}  // namespace facegate
