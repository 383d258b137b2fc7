#pragma once

#include <opencv2/core/types.hpp>
#include <vector>

#include "face/base/status.h"
#include "face/detect/detector.h"

namespace facegate {

enum class FaceSelection {
  kSingle,   // exactly one face
  kLargest,  // the largest box
  kCentral,  // the face whose centre is nearest to the picture's centre, measured in widths of that
             // face
  kBox,      // the face whose box overlaps a given one most (intersection over union above 0)
  kAll,
};

struct SelectionRequest {
  FaceSelection selection = FaceSelection::kLargest;
  cv::Rect2f box;  // pixels; for kBox alone
};

// Picks among the faces of a picture of `picture` size; the order of `faces` is kept. kNoFace when
// none fits, kMultipleFaces for kSingle with more than one. Never empty.
StatusOr<std::vector<DetectedFace>> SelectFaces(const std::vector<DetectedFace>& faces,
                                                const SelectionRequest& request, cv::Size picture);

}  // namespace facegate
