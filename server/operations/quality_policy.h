#pragma once

#include <optional>

#include "face/detect/face_quality.h"

namespace facegate {

// The qualities that the server wants where neither the collection nor the request says; 0..1, 0
// wants nothing.
struct QualityPolicy {
  double enrol = kDefaultEnrolQuality;
  double probe = kDefaultProbeQuality;
};

// The value of a collection or request, else the server's.
inline double WantedQuality(std::optional<float> own, double of_server) {
  return own.has_value() ? static_cast<double>(*own) : of_server;
}

}  // namespace facegate
