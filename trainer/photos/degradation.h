#pragma once

#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <string_view>

#include "face/base/random.h"
#include "face/base/status.h"
#include "face/image/image.h"

namespace facegate {

// Names what can have happened to a photo or an aligned crop. The names (DegradationName) stand in
// reports and options.
enum class DegradationKind {
  kClean,
  kTurn,           // strength: degrees clockwise; 90, 180 or 270
  kShrink,         // pixels that are left of the longer side; a smaller photo stays as it is
  kShrinkEnlarge,  // the same, then enlarged to the old size
  kPixelate,       // the same, each pixel as a square
  kShrinkJpeg,     // the same, then written as JPEG of quality 8
  kBrightness,     // factor, up to 1
  kOverExposure,   // factor from 1 on; what is brighter than white is cut off
  kContrast,       // factor about the mean luminance, up to 1
  kBlur,           // deviation of a Gaussian in pixels
  kMotionBlur,     // length of the way in pixels, in a random direction
  kJpeg,           // quality 1..100
  kNoise,          // deviation in grey levels
  kNegative,
  kHideLeft,  // share of the face that something covers, from one side of it; sides as in Landmarks
  kHideRight,
  kHideUpper,
  kHideLower,
  kDarkGlasses,
  kMask,  // over nose and mouth
};

struct Degradation {
  DegradationKind kind = DegradationKind::kClean;
  double strength = 0.0;  // as at the kind; 0 for kinds that have none

  friend bool operator==(const Degradation&, const Degradation&) = default;
};

// "clean", "turn-90", "shrink-enlarge-20", "brightness-0.12".
std::string DegradationName(const Degradation& degradation);
// kInvalidArgument for an unknown name, and for a strength that is missing, superfluous or out of
// the kind's range; the message lists the names.
StatusOr<Degradation> DegradationFromName(std::string_view name);

// Recognition is measured under these, by name; clean comes first.
std::span<const Degradation> DegradationCells();

// A flaw for a crop of ArcFace's template that is to be learned from: its kind follows from `kind`,
// its strength, from mild to hopeless, from `strength`. Turned and negative crops are not among
// them, for they reach no network that has a gate before it.
Degradation DrawDegradation(RandomStream& kind, RandomStream& strength);

// `photo` (8-bit BGR), degraded; its own pixels stay as they are. `landmarks` are the five of its
// face (TemplatePoints() for an aligned crop); only what covers a part of the face reads them. The
// shape, colour and texture of what covers the face, noise and the direction of motion follow from
// `random` alone. kInvalidArgument for a strength out of range, another type of picture, or
// landmarks that are wanted and not five. Thread-safe.
StatusOr<cv::Mat> Degrade(const cv::Mat& photo, const Landmarks& landmarks,
                          const Degradation& degradation, RandomStream& random);

// Returns where points of a photo of `size` lie in the degraded one; their order stays: the eye
// that was left in an upright picture is still the first in a turned one.
Landmarks LandmarksAfter(const Degradation& degradation, cv::Size size, const Landmarks& landmarks);

}  // namespace facegate
