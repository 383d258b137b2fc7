#include "trainer/synthetic/through_jpeg.h"

#include <cstdint>
#include <string>

#include "face/image/decode.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"

namespace facegate {

StatusOr<cv::Mat> ThroughJpeg(const cv::Mat& picture, int quality) {
  // The picture is our own: whatever could be written is read.
  constexpr DecodeLimits kLimits{
      .max_bytes = INT32_MAX, .max_pixels = INT32_MAX, .max_side = INT32_MAX};
  FACEGATE_ASSIGN_OR_RETURN(const std::string jpeg, EncodeJpeg(ViewOf(picture), quality));
  FACEGATE_ASSIGN_OR_RETURN(const Image image, DecodeImage(jpeg, kLimits));
  return image.bgr;
}

}  // namespace facegate
