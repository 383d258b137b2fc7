#include "face/image/decode.h"

#include "face/image/mat_pixels.h"

namespace facegate {

StatusOr<Image> DecodeImage(std::string_view encoded, const DecodeLimits& limits,
                            const DecodeControl& control) {
  Image image;
  FACEGATE_RETURN_IF_ERROR(DecodeInto(encoded, limits, control, [&](int width, int height) {
    image.bgr.create(height, width, CV_8UC3);
    return RowsOf(image.bgr);
  }));
  return image;
}

}  // namespace facegate
