#pragma once

#include <memory>
#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"
#include "face/image/pixels.h"

namespace facegate {

// A HEIC or AVIF picture, read by libheif (heif_library.h). Of a file with several pictures the
// primary one. Not thread-safe; the encoded bytes must outlive it.
class HeifPicture {
 public:
  // Reads the boxes of the file and decodes nothing. kImageUndecodable where they are broken or
  // where libheif is not installed.
  static StatusOr<std::unique_ptr<HeifPicture>> Open(std::string_view encoded, ImageFormat format,
                                                     int max_side);
  virtual ~HeifPicture() = default;

  // The size is that of the upright picture: the turns and mirrors of these formats are in their
  // boxes and applied by libheif, and an EXIF orientation beside them only repeats them.
  virtual const ImageHeader& header() const = 0;
  // Decodes the pixels into `bgr` (of the header's size), transparency laid on white. libheif's
  // part of it, some 20 ms a megapixel, cannot be interrupted.
  virtual Status Decode(const StopCheck& stop, const PixelRows& bgr) = 0;
};

}  // namespace facegate
