#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/image_header.h"

namespace facegate {

// Walks through the RIFF chunks of a WebP file (RFC 9649): VP8, VP8L or VP8X; the orientation comes
// from the EXIF chunk. Animations are refused.
StatusOr<ImageHeader> ParseWebpHeader(std::string_view encoded);

}  // namespace facegate
