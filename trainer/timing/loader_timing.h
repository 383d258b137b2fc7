#pragma once

#include <cstddef>

#include "face/base/status.h"
#include "trainer/photos/augment.h"
#include "trainer/photos/dataset.h"

namespace facegate {

struct LoaderTimingOptions {
  size_t batch = 64;  // pictures, >= 1
  int threads = 1;    // >= 1
  AugmentOptions augment{};
  // The photos that are read; another size than that of training is scaled. Null: drawn pictures of
  // 112 by 112 pixels, JPEG files in memory.
  const Dataset* photos = nullptr;
};

struct LoaderTime {
  double pictures = 0.0;  // a second
  size_t bad = 0;         // photos that could not be read, and were replaced by others
};

// Measures how fast a Loader gives pictures, decoded, augmented and normalised, when nothing else
// needs the processor. It goes on until `seconds` have passed.
StatusOr<LoaderTime> MeasureLoader(const LoaderTimingOptions& options, double seconds);

}  // namespace facegate
