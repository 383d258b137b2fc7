#include "face/image/webp_pixels.h"

#include <fmt/format.h>
#include <webp/decode.h>

#include <cstdint>

namespace facegate {

StatusOr<cv::Mat> DecodeWebpPixels(std::string_view encoded, const ImageHeader& header) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(encoded.data());
  int width = 0;
  int height = 0;
  if (WebPGetInfo(bytes, encoded.size(), &width, &height) == 0 || width != header.width ||
      height != header.height) {
    return Refuse(Reason::kImageUndecodable, fmt::format("WebP of {}x{} pixels is none to libwebp",
                                                         header.width, header.height));
  }
  cv::Mat bgr(height, width, CV_8UC3);
  const size_t stride = bgr.step[0];
  if (WebPDecodeBGRInto(bytes, encoded.size(), bgr.data, stride * static_cast<size_t>(height),
                        static_cast<int>(stride)) == nullptr) {
    return Refuse(Reason::kImageUndecodable,
                  fmt::format("WebP of {}x{} pixels does not decode whole", width, height));
  }
  return bgr;
}

}  // namespace facegate
