#pragma once

#include <memory>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/detect/face_quality.h"
#include "face/image/align.h"
#include "face/image/image.h"
#include "face/weights/network_weights.h"

namespace facegate {

// Measures how fit a face is to be compared: on its source picture, and on its aligned crop, at
// which it looks again with the landmark network and with the quality network. Of a face whose
// landmarks that landmark network placed (haar), kFacePresence and kLandmarkFit tell only how it
// sees the aligned crop; other detectors are judged by a network that they did not use.
// Thread-safe: concurrent calls run side by side, each on one thread; one takes about 0.5 ms, and
// as much again for a face that the detector did not look at again.
class QualityMeter {
 public:
  virtual ~QualityMeter() = default;

  // `face` was found in `image` and has landmarks. kInternal when a network fails.
  virtual StatusOr<FaceQuality> OfFace(const Image& image, const DetectedFace& face) const = 0;
  // Measures as far as a crop can tell: its true resolution stands for the distance of the eyes.
  virtual StatusOr<FaceQuality> OfCrop(const AlignedFace& crop,
                                       AlignmentTemplate alignment) const = 0;
};

// kInvalidArgument, naming a tensor, for weights of other networks.
StatusOr<std::unique_ptr<QualityMeter>> CreateQualityMeter(LandmarkWeights landmarks,
                                                           QualityWeights quality);

}  // namespace facegate
