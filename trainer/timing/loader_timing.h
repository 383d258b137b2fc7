#pragma once

#include <cstddef>

#include "face/base/status.h"
#include "trainer/data/augment.h"

namespace facegate {

struct LoaderTimingOptions {
  size_t batch = 64;  // pictures, >= 1
  int threads = 1;    // >= 1
  AugmentOptions augment{};
};

// Pictures a second that a Loader gives when nobody else needs the processor: JPEG files in memory
// of 112 by 112 pixels (drawn, not photos), decoded, augmented and normalised. Measures until
// `seconds` have passed.
StatusOr<double> MeasureLoader(const LoaderTimingOptions& options, double seconds);

}  // namespace facegate
