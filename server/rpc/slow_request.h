#pragma once

#include <algorithm>

#include "facegate/v1/face_service.pb.h"
#include "facegate/v1/types.pb.h"

// IsSlow() tells whether a request holds a picture or a crop that must be decoded, or may calibrate
// a collection: such calls take milliseconds to seconds of a core, the others microseconds beside
// their search.
namespace facegate {

inline bool IsSlow(const v1::Probe& probe) { return probe.has_image() || probe.has_aligned_crop(); }

inline bool IsSlow(const v1::EnrollRequest& request) {
  return std::any_of(request.samples().begin(), request.samples().end(),
                     [](const v1::Probe& probe) { return IsSlow(probe); });
}
inline bool IsSlow(const v1::CompareRequest& request) {
  return IsSlow(request.first()) || IsSlow(request.second());
}
inline bool IsSlow(const v1::DetectRequest& /*request*/) { return true; }

// Embed: one probe.
inline bool IsSlow(const v1::EmbedRequest& request) { return IsSlow(request.probe()); }

// Verify and Identify: one probe; calibrating a collection takes as long as a picture.
template <typename Request>
bool IsSlow(const Request& request) {
  return IsSlow(request.probe()) ||
         request.operating_point().calibration() == v1::CALIBRATION_CHOICE_COLLECTION;
}

}  // namespace facegate
