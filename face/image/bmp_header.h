#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/image_header.h"

namespace facegate {

// Reads the headers of a Windows or OS/2 bitmap and checks that the rows that they announce are
// there. Run-length coded bitmaps are refused.
StatusOr<ImageHeader> ParseBmpHeader(std::string_view encoded);

}  // namespace facegate
