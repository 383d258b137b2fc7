#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/pixels.h"

namespace facegate {

// Checks that a picture can be written in a format that takes at most `most_side` pixels each way,
// and grey beside BGR where `grey`. kInvalidArgument, naming the format, where it cannot.
Status CheckEncodable(const PixelView& picture, std::string_view format, int most_side, bool grey);

}  // namespace facegate
