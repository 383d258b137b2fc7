#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/image_header.h"
#include "face/image/pixels.h"

namespace facegate {

struct DecodeLimits {
  // Bytes of the encoded image.
  uint64_t max_bytes = 8 << 20;
  // Width times height, read from the header before anything is allocated.
  uint64_t max_pixels = 40'000'000;
  // Width and height each: OpenCV's warp counts pixels in 16 bits.
  int max_side = 32766;
  // A JPEG may come in many scans, each of which goes over the whole picture: scans times pixels
  // are at most this times max_pixels. Encoders write about ten.
  uint64_t max_full_passes = 20;
  // Takes HEIC and AVIF too, where libheif is installed. Off for bytes from strangers: the decoders
  // behind it take as much memory as the coded data ask for, which may be more than the header
  // says.
  bool heif = false;
};

// Lets the caller take part in a decoding. Both are called on the thread that decodes, and may be
// empty.
struct DecodeControl {
  // Asked at least every 5 ms of work; what it answers instead of OK is the answer.
  StopCheck stop;
  // Called once, after the header was checked and before anything is allocated, with the most bytes
  // that decoding this picture will hold at a time, the picture included. A refusal is the answer,
  // and nothing is decoded.
  std::function<Status(uint64_t bytes)> reserve;
};

// Decodes JPEG, PNG, WebP, BMP or PGM (and PPM) to upright BGR: grey and palette images are
// expanded, transparency is laid on white, 16 bits become 8. kImageTooLarge past a limit,
// kImageUndecodable for anything that does not decode whole (a truncated or damaged JPEG too; one
// that lacks nothing but its end marker is taken). Thread-safe.
StatusOr<Pixels> DecodePixels(std::string_view encoded, const DecodeLimits& limits,
                              const DecodeControl& control = {});

// Gives the place for an upright BGR picture of this size.
using MakeRoom = std::function<PixelRows(int width, int height)>;

// DecodePixels() into the caller's memory: `make_room` is called once, after everything that the
// header tells was checked. What is there after an error is of no use.
Status DecodeInto(std::string_view encoded, const DecodeLimits& limits,
                  const DecodeControl& control, const MakeRoom& make_room);

}  // namespace facegate
