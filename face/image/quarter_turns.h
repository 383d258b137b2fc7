#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

namespace facegate {

// The picture turned clockwise by so many quarters, 0..3; shares its pixels for 0.
cv::Mat TurnedByQuarters(const cv::Mat& picture, int quarter_turns);

// Returns where a point of a picture of `size` lies in the turned one. `edge` is 0 for points,
// whose pixels are counted by their centres, and 1 for corners of boxes, which lie on edges.
cv::Point2f TurnedByQuarters(const cv::Point2f& point, int quarter_turns, const cv::Size& size,
                             float edge = 0);

}  // namespace facegate
