#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/image_header.h"

namespace facegate {

// Walks through the chunks of a PNG file (W3C PNG, third edition) from IHDR to IEND; the
// orientation comes from eXIf. Checksums are left to libpng. Bytes after IEND are allowed.
StatusOr<ImageHeader> ParsePngHeader(std::string_view encoded);

}  // namespace facegate
