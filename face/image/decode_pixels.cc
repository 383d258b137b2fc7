#include "face/image/decode_pixels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "face/base/catch.h"
#include "face/image/bmp_pixels.h"
#include "face/image/heif_picture.h"
#include "face/image/jpeg_pixels.h"
#include "face/image/orientation.h"
#include "face/image/png_pixels.h"
#include "face/image/pnm.h"
#include "face/image/webp_pixels.h"

namespace facegate {
namespace {

Status CheckSize(const ImageHeader& header, const DecodeLimits& limits) {
  const uint64_t pixels = header.pixels();
  if (pixels > limits.max_pixels) {
    return Refuse(Reason::kImageTooLarge,
                  fmt::format("the image is {}x{}, which is {} pixels, the limit is {}",
                              header.width, header.height, pixels, limits.max_pixels));
  }
  if (header.width > limits.max_side || header.height > limits.max_side) {
    return Refuse(Reason::kImageTooLarge,
                  fmt::format("the image is {}x{} pixels, the limit for a side is {}", header.width,
                              header.height, limits.max_side));
  }
  const auto passes = static_cast<uint64_t>(header.passes);
  const uint64_t most = limits.max_full_passes * limits.max_pixels;
  if (passes * pixels > most) {
    return Refuse(
        Reason::kImageTooLarge,
        fmt::format("the JPEG is {}x{} pixels in {} scans, which is {} pixels to go over, "
                    "the limit is {}",
                    header.width, header.height, passes, passes * pixels, most));
  }
  return OkStatus();
}

// The bytes of the picture as it is stored and of the upright one exist at once.
uint64_t MostBytes(const ImageHeader& header) {
  return std::max(header.decode_bytes, (header.orientation == 1 ? 3 : 6) * header.pixels());
}

Status DecodeStored(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                    const PixelRows& bgr) {
  switch (header.format) {
    case ImageFormat::kJpeg:
      return DecodeJpegPixels(encoded, header, stop, bgr);
    case ImageFormat::kPgm:
      return DecodePnm(encoded, stop, bgr);
    case ImageFormat::kWebp:
      return DecodeWebpPixels(encoded, header, stop, bgr);
    case ImageFormat::kPng:
      return DecodePngPixels(encoded, header, stop, bgr);
    case ImageFormat::kBmp:
      return DecodeBmpPixels(encoded, stop, bgr);
    default:
      return Internal(fmt::format("there is no decoder for {}", NameWithArticle(header.format)));
  }
}

Status DecodeUpright(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                     const MakeRoom& make_room) {
  if (header.orientation == 1) {
    return DecodeStored(encoded, header, stop, make_room(header.width, header.height));
  }
  Pixels stored(header.width, header.height);
  FACEGATE_RETURN_IF_ERROR(DecodeStored(encoded, header, stop, stored.rows()));
  const bool on_its_side = LiesOnItsSide(header.orientation);
  return TurnUpright(stored.view(), header.orientation, stop,
                     make_room(on_its_side ? header.height : header.width,
                               on_its_side ? header.width : header.height));
}

Status Admit(const ImageHeader& header, const DecodeLimits& limits, const DecodeControl& control) {
  FACEGATE_RETURN_IF_ERROR(CheckSize(header, limits));
  return control.reserve ? control.reserve(MostBytes(header)) : OkStatus();
}

Status DecodeHeif(std::string_view encoded, ImageFormat format, const DecodeLimits& limits,
                  const DecodeControl& control, const MakeRoom& make_room) {
  FACEGATE_ASSIGN_OR_RETURN(const auto picture,
                            HeifPicture::Open(encoded, format, limits.max_side));
  const ImageHeader& header = picture->header();
  FACEGATE_RETURN_IF_ERROR(Admit(header, limits, control));
  return picture->Decode(control.stop, make_room(header.width, header.height));
}

}  // namespace

Status DecodeInto(std::string_view encoded, const DecodeLimits& limits,
                  const DecodeControl& control, const MakeRoom& make_room) {
  // Decoders count bytes in an int.
  const uint64_t max_bytes = std::min<uint64_t>(limits.max_bytes, INT32_MAX);
  if (encoded.size() > max_bytes) {
    return Refuse(Reason::kImageTooLarge, fmt::format("the image has {} bytes, the limit is {}",
                                                      encoded.size(), max_bytes));
  }
  const ImageFormat format = SniffImageFormat(encoded);
  if (limits.heif && IsHeif(format)) {
    return CatchToStatus("decoding an image",
                         [&] { return DecodeHeif(encoded, format, limits, control, make_room); });
  }
  FACEGATE_ASSIGN_OR_RETURN(const ImageHeader header, ParseImageHeader(encoded));
  FACEGATE_RETURN_IF_ERROR(Admit(header, limits, control));
  return CatchToStatus("decoding an image",
                       [&] { return DecodeUpright(encoded, header, control.stop, make_room); });
}

StatusOr<Pixels> DecodePixels(std::string_view encoded, const DecodeLimits& limits,
                              const DecodeControl& control) {
  Pixels picture;
  FACEGATE_RETURN_IF_ERROR(DecodeInto(encoded, limits, control, [&](int width, int height) {
    picture = Pixels(width, height);
    return picture.rows();
  }));
  return picture;
}

}  // namespace facegate
