#include "face/image/quarter_turns.h"

#include <opencv2/core.hpp>

namespace facegate {

cv::Mat TurnedByQuarters(const cv::Mat& picture, int quarter_turns) {
  cv::Mat turned;
  switch (quarter_turns) {
    case 1:
      cv::rotate(picture, turned, cv::ROTATE_90_CLOCKWISE);
      return turned;
    case 2:
      cv::rotate(picture, turned, cv::ROTATE_180);
      return turned;
    case 3:
      cv::rotate(picture, turned, cv::ROTATE_90_COUNTERCLOCKWISE);
      return turned;
    default:
      return picture;
  }
}

cv::Point2f TurnedByQuarters(const cv::Point2f& point, int quarter_turns, const cv::Size& size,
                             float edge) {
  const float right = static_cast<float>(size.width) - 1 + edge;
  const float bottom = static_cast<float>(size.height) - 1 + edge;
  switch (quarter_turns) {
    case 1:
      return {bottom - point.y, point.x};
    case 2:
      return {right - point.x, bottom - point.y};
    case 3:
      return {point.y, right - point.x};
    default:
      return point;
  }
}

}  // namespace facegate
