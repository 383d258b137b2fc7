#include "face/image/orientation.h"

#include <opencv2/core.hpp>

namespace facegate {
namespace {

constexpr int kAroundVerticalAxis = 1;  // cv::flip: swaps left and right

}  // namespace

// EXIF 2.3, 4.6.4: the value says which sides of the scene the first row and the first column are.
cv::Mat TurnUpright(const cv::Mat& stored, int orientation) {
  cv::Mat upright;
  switch (orientation) {
    case 2:  // top, right
      cv::flip(stored, upright, kAroundVerticalAxis);
      return upright;
    case 3:  // bottom, right
      cv::rotate(stored, upright, cv::ROTATE_180);
      return upright;
    case 4:  // bottom, left
      cv::flip(stored, upright, 0);
      return upright;
    case 5:  // left, top
      cv::transpose(stored, upright);
      return upright;
    case 6:  // right, top
      cv::rotate(stored, upright, cv::ROTATE_90_CLOCKWISE);
      return upright;
    case 7: {  // right, bottom: a reflection in the other diagonal
      cv::Mat transposed;
      cv::transpose(stored, transposed);
      cv::rotate(transposed, upright, cv::ROTATE_180);
      return upright;
    }
    case 8:  // left, bottom
      cv::rotate(stored, upright, cv::ROTATE_90_COUNTERCLOCKWISE);
      return upright;
    default:
      return stored;
  }
}

}  // namespace facegate
