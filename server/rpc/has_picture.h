#pragma once

#include <algorithm>

#include "facegate/v1/face_service.pb.h"
#include "facegate/v1/types.pb.h"

// Whether a request holds a picture or a crop that must be decoded: such calls take milliseconds to
// seconds of a core, the others microseconds beside their search.
namespace facegate {

inline bool HasPicture(const v1::Probe& probe) {
  return probe.has_image() || probe.has_aligned_crop();
}

inline bool HasPicture(const v1::EnrollRequest& request) {
  return std::any_of(request.samples().begin(), request.samples().end(),
                     [](const v1::Probe& probe) { return HasPicture(probe); });
}
inline bool HasPicture(const v1::CompareRequest& request) {
  return HasPicture(request.first()) || HasPicture(request.second());
}
inline bool HasPicture(const v1::DetectRequest& /*request*/) { return true; }

// Verify, Identify and Embed: one probe.
template <typename Request>
bool HasPicture(const Request& request) {
  return HasPicture(request.probe());
}

}  // namespace facegate
