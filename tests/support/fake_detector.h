#pragma once

#include <string>
#include <utility>
#include <vector>

#include "face/detect/detector.h"
#include "face/image/align.h"

namespace facegate {

// A face whose aligned crop is exactly the 112 by 112 pixels from (x, y) on: its five landmarks are
// the template's points moved there.
inline DetectedFace FaceAt(float x, float y, float score = 0.9f) {
  DetectedFace face{.box = {x, y, 112, 112}, .landmarks = {}, .score = score};
  for (const cv::Point2f& point : TemplatePoints(AlignmentTemplate::kArcFace112)) {
    face.landmarks.emplace_back(point.x + x, point.y + y);
  }
  return face;
}

// Finds the faces that it was told of, in whatever picture. Thread-safe while the faces stay.
class FakeDetector final : public Detector {
 public:
  explicit FakeDetector(std::vector<DetectedFace> faces = {FaceAt(0, 0)})
      : faces_(std::move(faces)) {}

  using Detector::Detect;
  StatusOr<std::vector<DetectedFace>> Detect(const Image& /*image*/,
                                             const StopCheck& stop) override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    return faces_;
  }
  const std::string& name() const override { return name_; }

  void set_faces(std::vector<DetectedFace> faces) { faces_ = std::move(faces); }

 private:
  std::vector<DetectedFace> faces_;
  const std::string name_ = "fake";
};

}  // namespace facegate
