#pragma once

#include <functional>
#include <map>
#include <string>

#include "face/base/status.h"
#include "face/image/image.h"
#include "trainer/landmarks/sample.h"

namespace facegate {

// Landmarks by the name of the photo.
using OrderedLandmarks = std::map<std::string, Landmarks>;

struct PreparationOptions {
  std::string photos;  // the folder that names are relative to
  std::string cascades = "/usr/share/opencv4/haarcascades";
  uint64_t seed = 1;
  int threads = 1;  // >= 1
};

// Cuts a sample of each photo around its face, with the box that the face cascade finds there, and
// boxes without a face: what the cascade finds in the photo turned upside down, or cut into pieces
// that lie in another order (a face upside down is none to it, and a piece holds no whole one; a
// third person's face in the photo can so never become a negative). `on_photo` is called after
// each photo, by one thread at a time. Fails with the first photo that cannot be read, which it
// names.
StatusOr<LandmarkSamples> PrepareSamples(const OrderedLandmarks& landmarks,
                                         const PreparationOptions& options,
                                         const std::function<void()>& on_photo);

}  // namespace facegate
