#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/decode_pixels.h"
#include "face/image/image.h"

namespace facegate {

// DecodePixels() as a picture of OpenCV. Thread-safe.
StatusOr<Image> DecodeImage(std::string_view encoded, const DecodeLimits& limits,
                            const DecodeControl& control = {});

}  // namespace facegate
