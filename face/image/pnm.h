#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"
#include "face/image/pixels.h"

namespace facegate {

// Netpbm's grey and colour maps: P2 and P5 (PGM), P3 and P6 (PPM); the text and the binary form;
// 1 to 16 bits a sample. The format is named kPgm for all of them.
// Checks that as many bytes follow as the size needs.
StatusOr<ImageHeader> ParsePnmHeader(std::string_view encoded);

// Decodes the pixels into `bgr`, which has the size that the header tells; they are scaled from
// 0..maxval to 0..255.
Status DecodePnm(std::string_view encoded, const StopCheck& stop, const PixelRows& bgr);

}  // namespace facegate
