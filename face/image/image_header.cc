#include "face/image/image_header.h"

#include "face/image/bmp_header.h"
#include "face/image/jpeg_header.h"
#include "face/image/png_header.h"
#include "face/image/pnm.h"
#include "face/image/webp_header.h"

namespace facegate {

std::string_view FormatName(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kWebp:
      return "WebP";
    case ImageFormat::kBmp:
      return "BMP";
    case ImageFormat::kPgm:
      return "PGM";
  }
  return "unknown";
}

StatusOr<ImageHeader> ParseImageHeader(std::string_view encoded) {
  if (encoded.empty()) return Refuse(Reason::kImageUndecodable, "image is empty (0 bytes)");
  if (LooksLikeJpeg(encoded)) return ParseJpegHeader(encoded);
  if (LooksLikePng(encoded)) return ParsePngHeader(encoded);
  if (LooksLikeWebp(encoded)) return ParseWebpHeader(encoded);
  if (LooksLikeBmp(encoded)) return ParseBmpHeader(encoded);
  if (LooksLikePnm(encoded)) return ParsePnmHeader(encoded);
  return Refuse(Reason::kImageUndecodable, "image is none of JPEG, PNG, WebP, BMP and PGM/PPM");
}

}  // namespace facegate
