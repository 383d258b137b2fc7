#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/weights/network_weights.h"
#include "trainer/landmarks/preparation.h"
#include "trainer/landmarks/sample.h"
#include "trainer/landmarks/sample_split.h"

namespace facegate {

// Tells how far landmarks are from the given ones, over the distance of the face's eyes.
struct LandmarkErrors {
  size_t photos = 0;
  size_t found = 0;           // photos in which a face was found; the others have no error
  double point_median = 0.0;  // over all landmarks
  // The error of a face is the mean of its five landmarks. The median and 90th percentile are over
  // faces.
  double median = 0.0;
  double ninetieth = 0.0;

  double found_share() const {
    return photos == 0 ? 0.0 : static_cast<double>(found) / static_cast<double>(photos);
  }
};

// Reports on the network in the cascade's boxes of the held-out samples; boxes without a face which
// it takes for one are counted.
struct HeldOutReport {
  LandmarkErrors errors;
  double false_share = 0.0;  // of the boxes without a face
};
StatusOr<HeldOutReport> CheckHeldOut(const LandmarkWeights& weights, const LandmarkSamples& samples,
                                     const SampleSplit& split);

// Measures a detector on whole photos, by its central face. `on_photo` is called after each.
StatusOr<LandmarkErrors> CheckDetector(Detector& detector, const std::string& photo_folder,
                                       const OrderedLandmarks& landmarks,
                                       const std::function<void()>& on_photo);

}  // namespace facegate
