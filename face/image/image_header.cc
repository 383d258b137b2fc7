#include "face/image/image_header.h"

#include <fmt/format.h>

#include "face/image/bmp_header.h"
#include "face/image/jpeg_header.h"
#include "face/image/png_header.h"
#include "face/image/pnm.h"
#include "face/image/undecodable.h"
#include "face/image/webp_header.h"

namespace facegate {

StatusOr<ImageHeader> ParseImageHeader(std::string_view encoded) {
  const ImageFormat format = SniffImageFormat(encoded);
  switch (format) {
    case ImageFormat::kJpeg:
      return ParseJpegHeader(encoded);
    case ImageFormat::kPng:
      return ParsePngHeader(encoded);
    case ImageFormat::kWebp:
      return ParseWebpHeader(encoded);
    case ImageFormat::kBmp:
      return ParseBmpHeader(encoded);
    case ImageFormat::kPgm:
      return ParsePnmHeader(encoded);
    case ImageFormat::kEmpty:
      return Undecodable("the image is empty (0 bytes)");
    default:
      return Undecodable(
          fmt::format("this is {}, which is not among the formats that are taken: {}",
                      NameWithArticle(format), DecodableFormats()));
  }
}

}  // namespace facegate
