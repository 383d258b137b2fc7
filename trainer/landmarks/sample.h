#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/image/image.h"

namespace facegate {

// A face with known landmarks: what lies around it in its photo, grey, as JPEG. Points and boxes
// are in pixels of this patch.
struct LandmarkSample {
  uint32_t photo = 0;  // index into LandmarkSamples::photos
  std::string jpeg;
  Landmarks points;               // five
  std::optional<cv::Rect2d> box;  // the cascade's; nothing where it missed the face
};

// A box of the cascade in which no face is, and what lies around it.
struct NegativeSample {
  uint32_t photo = 0;
  std::string jpeg;
  cv::Rect2d box;
};

struct LandmarkSamples {
  std::vector<std::string> photos;  // names; the folder of a photo names its person
  std::vector<LandmarkSample> faces;
  std::vector<NegativeSample> negatives;
};

// The samples as bytes of a file; `source` names what they were made from.
std::string SerializeSamples(const LandmarkSamples& samples, const std::string& source);
// kFailedPrecondition when they were made from another source, kInvalidArgument for other bytes.
StatusOr<LandmarkSamples> ParseSamples(std::string_view bytes, const std::string& source);

// The patch of a sample. kInvalidArgument when the JPEG does not decode.
StatusOr<cv::Mat> DecodePatch(const std::string& jpeg);
// 8-bit grey.
StatusOr<std::string> EncodePatch(const cv::Mat& patch);

}  // namespace facegate
