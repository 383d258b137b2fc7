#pragma once

#include <opencv2/core/mat.hpp>
#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

// The pixels of a bitmap as 8-bit BGR; transparency is laid on white where the file says which bits
// are alpha and not all of them are zero, as programs that know no alpha leave them. The size has
// been checked by the caller. Thread-safe.
StatusOr<cv::Mat> DecodeBmpPixels(std::string_view encoded, const StopCheck& stop);

}  // namespace facegate
