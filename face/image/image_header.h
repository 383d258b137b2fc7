#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image_format.h"

namespace facegate {

// The facts that the header of an encoded image tells.
struct ImageHeader {
  ImageFormat format = ImageFormat::kJpeg;
  int width = 0;  // pixels, 1 or more, before the orientation is applied
  int height = 0;
  int orientation = 1;  // EXIF 2.3 tag 0x0112, 1 to 8; 1 where absent or invalid
  // Decoding goes over the picture so often: the scans of a JPEG, else 1.
  int passes = 1;
  // The most bytes that decoding holds at a time, as far as the header tells: the picture of 3
  // bytes a pixel, and what the format's decoder needs beside it. Turning upright is not in it.
  uint64_t decode_bytes = 0;
  // JPEG: how many of the encoded bytes belong to the picture, and whether its end marker follows.
  size_t picture_bytes = std::string_view::npos;
  bool has_end_marker = true;

  uint64_t pixels() const { return static_cast<uint64_t>(width) * static_cast<uint64_t>(height); }
};

// Finds the format, the size and the orientation, and walks through the container (JPEG markers,
// PNG and RIFF chunks) to its end, so that most truncated files are found before they are decoded
// (a JPEG may lack its end marker). Reads no pixels and allocates nothing in proportion to the
// claimed size. kImageUndecodable, saying what the bytes are, when they are not one of the formats
// that are taken, when the header is broken or when the end is missing.
StatusOr<ImageHeader> ParseImageHeader(std::string_view encoded);

}  // namespace facegate
