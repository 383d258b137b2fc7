#pragma once

#include <string_view>

namespace facegate {

// The orientation (tag 0x0112 of the first directory) in an EXIF block: a TIFF header and what
// follows it, with or without "Exif\0\0" in front. 1, upright, where the tag is absent, out of 1..8
// or behind an offset that leaves the block: a broken EXIF block does not spoil a picture. Follows
// no chain of directories, so it ends after one pass.
int ExifOrientation(std::string_view block);

}  // namespace facegate
