#include "face/image/png_header.h"

#include <fmt/format.h>

#include <cstdint>

#include "face/base/coding.h"
#include "face/image/exif.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

constexpr std::string_view kSignature{"\x89PNG\r\n\x1a\n", 8};
constexpr size_t kHeaderBytes = 13;
constexpr size_t kChecksumBytes = 4;
constexpr uint8_t kAlphaBit = 4;  // of the colour type
// libpng's rows of 16-bit RGBA, ours of BGRA, and zlib's window and tables.
constexpr uint64_t kRowBuffers = 40;
constexpr uint64_t kInflateBytes = 128 << 10;
constexpr uint32_t kMaxSide = 0x7fffffff;

struct Chunk {
  std::string_view type;
  std::string_view body;
};

// A chunk: length, type, body, CRC-32 (not checked here).
StatusOr<Chunk> TakeChunk(std::string_view& in) {
  const size_t left = in.size();
  const auto length = TakeBigEndian<uint32_t>(in);
  if (!length.has_value() || in.size() < 4 + kChecksumBytes ||
      *length > in.size() - 4 - kChecksumBytes) {
    return Undecodable(
        fmt::format("PNG is truncated: a chunk is cut, {} bytes before the end", left));
  }
  const Chunk chunk{in.substr(0, 4), in.substr(4, *length)};
  in.remove_prefix(4 + *length + kChecksumBytes);
  return chunk;
}

Status ReadHeaderChunk(const Chunk& chunk, ImageHeader& header) {
  if (chunk.type != "IHDR" || chunk.body.size() != kHeaderBytes) {
    return Undecodable("PNG does not begin with an IHDR chunk of 13 bytes");
  }
  std::string_view body = chunk.body;
  const uint32_t width = TakeBigEndian<uint32_t>(body).value_or(0);
  const uint32_t height = TakeBigEndian<uint32_t>(body).value_or(0);
  if (width == 0 || height == 0 || width > kMaxSide || height > kMaxSide) {
    return Undecodable(
        fmt::format("PNG is {}x{} pixels, both must be 1 to {}", width, height, kMaxSide));
  }
  header.width = static_cast<int>(width);
  header.height = static_cast<int>(height);
  body.remove_prefix(1);  // the bit depth
  const auto colour_type = TakeBigEndian<uint8_t>(body).value_or(0);
  body.remove_prefix(2);  // compression and filter: there is one of each
  const bool interlaced = TakeBigEndian<uint8_t>(body).value_or(0) != 0;
  // Interlaced and transparent pictures are put together as BGRA. The transparent colours of the
  // other types follow in a chunk of their own.
  const uint64_t canvas = interlaced && (colour_type & kAlphaBit) != 0 ? 4 * header.pixels() : 0;
  header.decode_bytes = 3 * header.pixels() + canvas + kRowBuffers * width + kInflateBytes;
  return OkStatus();
}

// tRNS: a transparent colour, or the alpha of each colour of the palette.
void CountTransparency(const Chunk& header_chunk, ImageHeader& header) {
  const bool interlaced = header_chunk.body.back() != '\0';
  const bool counted = (static_cast<uint8_t>(header_chunk.body[9]) & kAlphaBit) != 0;
  if (interlaced && !counted) header.decode_bytes += 4 * header.pixels();
}

}  // namespace

StatusOr<ImageHeader> ParsePngHeader(std::string_view encoded) {
  ImageHeader header{.format = ImageFormat::kPng};
  std::string_view in = encoded.substr(kSignature.size());
  bool has_pixels = false;
  bool exif_seen = false;
  bool transparency_seen = false;
  FACEGATE_ASSIGN_OR_RETURN(const Chunk header_chunk, TakeChunk(in));
  FACEGATE_RETURN_IF_ERROR(ReadHeaderChunk(header_chunk, header));
  Chunk chunk = header_chunk;
  while (chunk.type != "IEND") {
    FACEGATE_ASSIGN_OR_RETURN(chunk, TakeChunk(in));
    if (chunk.type == "IHDR") return Undecodable("PNG has a second IHDR chunk");
    if (chunk.type == "IDAT") has_pixels = true;
    if (chunk.type == "tRNS" && !transparency_seen) {
      transparency_seen = true;
      CountTransparency(header_chunk, header);
    }
    if (chunk.type == "eXIf" && !exif_seen) {
      exif_seen = true;
      header.orientation = ExifOrientation(chunk.body);
    }
  }
  if (!has_pixels) return Undecodable("PNG holds no pixels: it has no IDAT chunk");
  return header;
}

}  // namespace facegate
