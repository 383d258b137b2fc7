#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/image/image_header.h"

namespace facegate {

// Walks through the markers of a JPEG file (ITU-T T.81) as libjpeg does, from SOI to EOI: the size
// from the first SOF, the orientation from the first APP1 segment that holds EXIF. Bytes after EOI
// are allowed (cameras append a second picture). After the first scan EOI may be missing, as some
// cameras and services write it: whatever is not a segment, or the start of another picture, then
// ends this one, and the decoder tells whether all of it is there (not so with arithmetic coding,
// which it refuses then). kImageUndecodable when a segment before is missing, when a component has
// no scan, or when the file has more scans than any encoder writes: each scan is a pass over the
// whole picture, so a small file could ask for hours of work.
StatusOr<ImageHeader> ParseJpegHeader(std::string_view encoded);

}  // namespace facegate
