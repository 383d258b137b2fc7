#pragma once

#include <string>

#include "face/base/status.h"

namespace facegate {

struct InferenceTimingOptions {
  std::string architecture = "mobilefacenet-128";
  int batch = 32;   // faces at once, 1..256
  int threads = 2;  // >= 1
};

// Medians, in milliseconds.
struct InferenceTimes {
  double single = 0.0;  // of a call with one face
  double batch = 0.0;   // of a call with `batch` faces
};

// Embeds drawn crops with random weights, as a server or facegate-train embed does with trained
// ones; each of the two measurements takes half of `seconds`, three calls at least.
StatusOr<InferenceTimes> MeasureInference(const InferenceTimingOptions& options, double seconds);

}  // namespace facegate
