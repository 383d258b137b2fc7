#pragma once

#include <opencv2/core/types.hpp>
#include <vector>

#include "face/detect/detector.h"

namespace facegate {

// Area of the intersection over area of the union; 0 where either box is empty or not
// finite.
double IntersectionOverUnion(const cv::Rect2f& a, const cv::Rect2f& b);

// Greedy non-maximum suppression: sorts by score, highest first (the earlier one of equals), and
// drops a face whose box overlaps that of a kept one by more than `iou`. Only the
// `max_candidates` highest scores are looked at, as the work grows with their square.
std::vector<DetectedFace> SuppressNonMaxima(std::vector<DetectedFace> faces, double iou,
                                            size_t max_candidates = 2000);

}  // namespace facegate
