#include "face/detect/non_maximum.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace facegate {

double IntersectionOverUnion(const cv::Rect2f& a, const cv::Rect2f& b) {
  // The sum of eight floats is finite only if each is.
  const double sum = double{a.x} + a.y + a.width + a.height + b.x + b.y + b.width + b.height;
  if (!std::isfinite(sum)) return 0;
  const double width =
      std::min<double>(double{a.x} + a.width, double{b.x} + b.width) - std::max<double>(a.x, b.x);
  const double height =
      std::min<double>(double{a.y} + a.height, double{b.y} + b.height) - std::max<double>(a.y, b.y);
  if (!(width > 0) || !(height > 0)) return 0;
  const double intersection = width * height;
  return intersection / (double{a.width} * a.height + double{b.width} * b.height - intersection);
}

std::vector<DetectedFace> SuppressNonMaxima(std::vector<DetectedFace> faces, double iou,
                                            size_t max_candidates) {
  std::stable_sort(faces.begin(), faces.end(),
                   [](const DetectedFace& a, const DetectedFace& b) { return a.score > b.score; });
  if (faces.size() > max_candidates) faces.resize(max_candidates);
  std::vector<DetectedFace> kept;
  for (DetectedFace& face : faces) {
    const bool overlaps = std::any_of(kept.begin(), kept.end(), [&](const DetectedFace& other) {
      return IntersectionOverUnion(face.box, other.box) > iou;
    });
    if (!overlaps) kept.push_back(std::move(face));
  }
  return kept;
}

}  // namespace facegate
