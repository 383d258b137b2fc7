#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <string_view>

namespace facegate {

// Stores the picture that is seen upright as `upright` as a camera does that writes EXIF
// orientation `orientation` (EXIF 2.3, tag 0x0112, 1 to 8).
cv::Mat StoredForOrientation(const cv::Mat& upright, int orientation);

// The file with an EXIF block that says `orientation`: in an APP1 segment after the start marker of
// a JPEG, in an eXIf chunk after the header chunk of a PNG.
std::string JpegWithOrientation(std::string_view jpeg, int orientation);
std::string PngWithOrientation(std::string_view png, int orientation);

}  // namespace facegate
