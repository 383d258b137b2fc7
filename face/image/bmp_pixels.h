#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/pixels.h"

namespace facegate {

// Decodes the pixels of a bitmap into `bgr`, which has the size that the header tells; transparency
// is laid on white where the file says which bits are alpha and not all of them are zero, as
// programs that know no alpha leave them. Thread-safe.
Status DecodeBmpPixels(std::string_view encoded, const StopCheck& stop, const PixelRows& bgr);

}  // namespace facegate
