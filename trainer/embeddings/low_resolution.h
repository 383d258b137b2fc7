#pragma once

#include <opencv2/core/mat.hpp>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// Says which photos of a pair, and which of a search, are of low resolution.
enum class LowResolutionSide {
  kBoth,  // all photos
  kOne,   // the second of each pair, and the probes and strangers of a search: what a camera sees
};

// "both", "one"; kInvalidArgument for another name.
StatusOr<LowResolutionSide> LowResolutionSideFromName(std::string_view name);
std::string_view LowResolutionSideName(LowResolutionSide side);

// `crop` as a camera sees it from `factor` times the distance: each side is divided by it (pixels
// are averaged over their area), then enlarged to its size again (bicubic). 1 changes nothing.
// kInvalidArgument below 1, or when less than 4 pixels would be left of a side.
StatusOr<cv::Mat> AtLowResolution(const cv::Mat& crop, double factor);

}  // namespace facegate
