#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string_view>

#include "face/base/status.h"
#include "trainer/enlarge/super_resolution.h"

namespace facegate {

// Says which photos of a pair, and which of a search, are of low resolution.
enum class LowResolutionSide {
  kBoth,  // all photos
  kOne,   // the second of each pair, and the probes and strangers of a search: what a camera sees
};

// "both", "one"; kInvalidArgument for another name.
StatusOr<LowResolutionSide> LowResolutionSideFromName(std::string_view name);
std::string_view LowResolutionSideName(LowResolutionSide side);

// Says how a crop is made smaller: pixels are averaged over their area; or as ResizedBicubic() has
// it, which the networks of super-resolution learn from.
enum class Reduction { kArea, kBicubic };

// "area", "bicubic"; kInvalidArgument for another name.
StatusOr<Reduction> ReductionFromName(std::string_view name);

// A lower resolution, and how crops come to their size again.
struct Resolution {
  double factor = 1.0;  // sides are divided by it
  Reduction reduction = Reduction::kArea;
  // Enlarges them by the factor; null: bicubic interpolation does, by OpenCV after kArea, and by
  // ResizedBicubic() after kBicubic.
  const SuperResolution* network = nullptr;
};

// kInvalidArgument where crops of this size cannot become so much smaller and large again: below 1,
// when less than 4 pixels would be left of a side, and for a network of another scale, or one that
// gives another size than the crop has.
Status CheckResolution(const cv::Size& crop, const Resolution& resolution);

// `crop` as a camera sees it from `factor` times the distance: made smaller, then enlarged to its
// size again. 1 changes nothing. Errors are those of CheckResolution().
StatusOr<cv::Mat> AtLowResolution(const cv::Mat& crop, const Resolution& resolution);

}  // namespace facegate
