#include "face/image/webp_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "face/base/coding.h"
#include "face/image/exif.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

// libwebp's rows of blocks and its tables.
constexpr uint64_t kRowBuffers = 256;
constexpr uint64_t kFixedBytes = 512 << 10;
constexpr uint8_t kAnimationFlag = 0x02;
constexpr uint8_t kAlphaFlag = 0x10;

struct Size {
  int width = 0;
  int height = 0;
  bool transparent = false;
};

uint32_t ByteAt(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

// The frame header of a lossy picture (RFC 6386, section 9.1): 3 bytes of tag, the start code 9d 01
// 2a, then 14 bits each of width and height.
StatusOr<Size> ReadLossySize(std::string_view body) {
  if (body.size() < 10 || body.substr(3, 3) != "\x9d\x01\x2a" || (ByteAt(body, 0) & 1) != 0) {
    return Undecodable("WebP has a broken VP8 frame header");
  }
  return Size{static_cast<int>((ByteAt(body, 6) | ByteAt(body, 7) << 8) & 0x3fff),
              static_cast<int>((ByteAt(body, 8) | ByteAt(body, 9) << 8) & 0x3fff)};
}

// The header of a lossless picture: 0x2f, then 14 bits each of width - 1 and height - 1.
StatusOr<Size> ReadLosslessSize(std::string_view body) {
  if (body.size() < 5 || ByteAt(body, 0) != 0x2f) {
    return Undecodable("WebP has a broken VP8L header");
  }
  body.remove_prefix(1);
  const uint32_t bits = TakeLittleEndian<uint32_t>(body).value_or(0);
  return Size{static_cast<int>(bits & 0x3fff) + 1, static_cast<int>(bits >> 14 & 0x3fff) + 1,
              (bits >> 28 & 1) != 0};
}

// The VP8X chunk: flags, three reserved bytes, 24 bits each of width - 1 and height - 1.
StatusOr<Size> ReadCanvasSize(std::string_view body) {
  if (body.size() < 10) return Undecodable("WebP has a broken VP8X header");
  if ((ByteAt(body, 0) & kAnimationFlag) != 0) {
    return Undecodable("WebP is an animation; only still pictures are supported");
  }
  const uint32_t width = ByteAt(body, 4) | ByteAt(body, 5) << 8 | ByteAt(body, 6) << 16;
  const uint32_t height = ByteAt(body, 7) | ByteAt(body, 8) << 8 | ByteAt(body, 9) << 16;
  return Size{static_cast<int>(width) + 1, static_cast<int>(height) + 1,
              (ByteAt(body, 0) & kAlphaFlag) != 0};
}

struct Chunk {
  std::string_view type;
  std::string_view body;
};

// A RIFF chunk: type, length, body, padded to an even length (the last padding byte may be
// missing).
StatusOr<Chunk> TakeChunk(std::string_view& in) {
  const std::string_view type = in.substr(0, 4);
  in.remove_prefix(type.size());
  const auto length = TakeLittleEndian<uint32_t>(in);
  if (!length.has_value() || *length > in.size()) {
    return Undecodable("WebP is truncated: a chunk is cut");
  }
  const Chunk chunk{type, in.substr(0, *length)};
  in.remove_prefix(std::min<size_t>(in.size(), size_t{*length} + (*length & 1)));
  return chunk;
}

// The facts that the chunks tell together.
struct Contents {
  Size canvas;   // from VP8X
  Size picture;  // from VP8 or VP8L
  bool lossless = false;
  bool exif_seen = false;
  int orientation = 1;
};

// A lossless picture is put together as 4 bytes a pixel before it is written out; a lossy one in
// rows, but its alpha is a lossless picture of its own. What is transparent comes out as BGRA and
// is laid on white when the decoder is done.
uint64_t BytesToDecode(const Contents& contents) {
  const auto width = static_cast<uint64_t>(contents.picture.width);
  const uint64_t pixels = width * static_cast<uint64_t>(contents.picture.height);
  const bool transparent = contents.canvas.transparent || contents.picture.transparent;
  const uint64_t plain = (transparent ? 4 : 3) * pixels + kRowBuffers * width + kFixedBytes;
  const uint64_t inner = contents.lossless ? 4 * pixels : transparent ? 5 * pixels : 0;
  return std::max(plain + inner, transparent ? 7 * pixels : 0);
}

Status ReadChunk(const Chunk& chunk, bool first, Contents& contents) {
  const bool lossy = chunk.type == "VP8 ";
  if (first && chunk.type == "VP8X") {
    FACEGATE_ASSIGN_OR_RETURN(contents.canvas, ReadCanvasSize(chunk.body));
  } else if ((lossy || chunk.type == "VP8L") && contents.picture.width == 0) {
    contents.lossless = !lossy;
    FACEGATE_ASSIGN_OR_RETURN(contents.picture,
                              lossy ? ReadLossySize(chunk.body) : ReadLosslessSize(chunk.body));
  } else if (chunk.type == "EXIF" && !contents.exif_seen) {
    contents.exif_seen = true;
    contents.orientation = ExifOrientation(chunk.body);
  } else if (chunk.type == "ALPH") {
    // libwebp goes by the chunk too, whatever the flag says.
    contents.canvas.transparent = true;
  }
  return OkStatus();
}

}  // namespace

StatusOr<ImageHeader> ParseWebpHeader(std::string_view encoded) {
  std::string_view in = encoded.substr(4);
  // Counts everything after itself, "WEBP" too.
  const uint32_t riff_bytes = TakeLittleEndian<uint32_t>(in).value_or(0);
  if (riff_bytes < 4 || riff_bytes > in.size()) {
    return Undecodable(fmt::format("WebP is truncated: it announces {} bytes and has {}",
                                   uint64_t{riff_bytes} + 8, encoded.size()));
  }
  in = in.substr(4, riff_bytes - 4);
  Contents contents;
  for (bool first = true; !in.empty(); first = false) {
    FACEGATE_ASSIGN_OR_RETURN(const Chunk chunk, TakeChunk(in));
    FACEGATE_RETURN_IF_ERROR(ReadChunk(chunk, first, contents));
  }
  const Size& size = contents.picture;
  if (size.width == 0 || size.height == 0) return Undecodable("WebP holds no picture");
  if (contents.canvas.width != 0 &&
      (contents.canvas.width != size.width || contents.canvas.height != size.height)) {
    return Undecodable(fmt::format("WebP has a canvas of {}x{} and a picture of {}x{} pixels",
                                   contents.canvas.width, contents.canvas.height, size.width,
                                   size.height));
  }
  return ImageHeader{.format = ImageFormat::kWebp,
                     .width = size.width,
                     .height = size.height,
                     .orientation = contents.orientation,
                     .decode_bytes = BytesToDecode(contents)};
}

}  // namespace facegate
