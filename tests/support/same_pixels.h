#pragma once

#include <opencv2/core.hpp>

namespace facegate {

inline bool SamePixels(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0.0;
}

}  // namespace facegate
