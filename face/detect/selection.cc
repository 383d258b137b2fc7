#include "face/detect/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "face/detect/non_maximum.h"

namespace facegate {
namespace {

// The first face of the highest rank.
template <typename Rank>
const DetectedFace& Best(const std::vector<DetectedFace>& faces, const Rank& rank) {
  return *std::max_element(
      faces.begin(), faces.end(),
      [&](const DetectedFace& a, const DetectedFace& b) { return rank(a) < rank(b); });
}

double Area(const DetectedFace& face) { return double{face.box.width} * face.box.height; }

// Distance of the centres in face widths, negative so that nearer ranks higher.
double Centrality(const DetectedFace& face, cv::Size picture) {
  if (!(face.box.width > 0)) return -std::numeric_limits<double>::infinity();
  const double x = face.box.x + face.box.width / 2.0 - (picture.width - 1) / 2.0;
  const double y = face.box.y + face.box.height / 2.0 - (picture.height - 1) / 2.0;
  return -std::hypot(x, y) / face.box.width;
}

StatusOr<std::vector<DetectedFace>> SelectByBox(const std::vector<DetectedFace>& faces,
                                                const cv::Rect2f& box) {
  const auto overlap = [&](const DetectedFace& face) {
    return IntersectionOverUnion(face.box, box);
  };
  const DetectedFace& best = Best(faces, overlap);
  if (!(overlap(best) > 0)) {
    return Refuse(Reason::kNoFace,
                  fmt::format("none of the {} faces overlaps the box of {:.0f}x{:.0f} pixels at "
                              "({:.0f}, {:.0f})",
                              faces.size(), box.width, box.height, box.x, box.y));
  }
  return std::vector<DetectedFace>{best};
}

}  // namespace

StatusOr<std::vector<DetectedFace>> SelectFaces(const std::vector<DetectedFace>& faces,
                                                const SelectionRequest& request, cv::Size picture) {
  if (faces.empty()) {
    return Refuse(Reason::kNoFace, fmt::format("no face found in the picture of {}x{} pixels",
                                               picture.width, picture.height));
  }
  switch (request.selection) {
    case FaceSelection::kSingle:
      if (faces.size() > 1) {
        return Refuse(Reason::kMultipleFaces,
                      fmt::format("{} faces found, exactly one is expected", faces.size()));
      }
      return faces;
    case FaceSelection::kLargest:
      return std::vector<DetectedFace>{Best(faces, Area)};
    case FaceSelection::kCentral:
      return std::vector<DetectedFace>{
          Best(faces, [&](const DetectedFace& face) { return Centrality(face, picture); })};
    case FaceSelection::kBox:
      return SelectByBox(faces, request.box);
    case FaceSelection::kAll:
      return faces;
  }
  return Internal("unknown face selection");
}

}  // namespace facegate
