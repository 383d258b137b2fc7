#include "face/image/bmp_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>

#include "face/base/coding.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr uint32_t kCoreHeaderBytes = 12;
constexpr uint32_t kInfoHeaderBytes = 40;
constexpr uint32_t kHeaderBytesWithAlpha = 56;
constexpr uint32_t kLargestHeaderBytes = 124;
constexpr uint32_t kUncompressed = 0;
constexpr uint32_t kBitFields = 3;
constexpr int64_t kMaxSide = 0x7fffffff;

struct Fields {
  int64_t width = 0;
  int64_t height = 0;  // negative where the first row is the top one
  uint32_t bits = 0;   // of a pixel
  uint32_t compression = kUncompressed;
  uint32_t colours = 0;  // in the palette; 0 means as many as the bits allow
};

// BITMAPCOREHEADER after its length: width, height, planes, bits, 16 bits each.
Fields ReadCoreHeader(std::string_view in) {
  Fields fields;
  fields.width = TakeLittleEndian<uint16_t>(in).value_or(0);
  fields.height = TakeLittleEndian<uint16_t>(in).value_or(0);
  in.remove_prefix(2);
  fields.bits = TakeLittleEndian<uint16_t>(in).value_or(0);
  return fields;
}

// BITMAPINFOHEADER after its length: width, height (signed), planes, bits, compression, bytes,
// resolution (twice), colours, important colours.
Fields ReadInfoHeader(std::string_view in) {
  Fields fields;
  fields.width = static_cast<int32_t>(TakeLittleEndian<uint32_t>(in).value_or(0));
  fields.height = static_cast<int32_t>(TakeLittleEndian<uint32_t>(in).value_or(0));
  in.remove_prefix(2);
  fields.bits = TakeLittleEndian<uint16_t>(in).value_or(0);
  fields.compression = TakeLittleEndian<uint32_t>(in).value_or(0);
  in.remove_prefix(12);
  fields.colours = TakeLittleEndian<uint32_t>(in).value_or(0);
  return fields;
}

Status CheckFields(const Fields& fields) {
  if (fields.width < 1 || fields.height == 0 || std::abs(fields.height) > kMaxSide) {
    return Undecodable(
        fmt::format("BMP is {}x{} pixels, both must be at least 1", fields.width, fields.height));
  }
  const uint32_t bits = fields.bits;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    return Undecodable(
        fmt::format("BMP has {} bits a pixel, expected 1, 4, 8, 16, 24 or 32", bits));
  }
  const bool bit_fields = fields.compression == kBitFields && (bits == 16 || bits == 32);
  if (fields.compression != kUncompressed && !bit_fields) {
    return Undecodable(fmt::format("BMP compression {} with {} bits a pixel is not supported",
                                   fields.compression, bits));
  }
  if (bits <= 8 && fields.colours > (1U << bits)) {
    return Undecodable(
        fmt::format("BMP has {} colours in its palette, at most {} fit {} bits a pixel",
                    fields.colours, 1U << bits, bits));
  }
  return OkStatus();
}

bool IsContiguous(uint32_t mask) {
  return mask == 0 || std::popcount(mask) + std::countl_zero(mask) + std::countr_zero(mask) == 32;
}

// The masks lie in the header where it has room for them, else after it. Without masks 16 bits are
// three times five, and the fourth byte of 32 bits has no meaning.
StatusOr<BmpMasks> ReadMasks(std::string_view encoded, const Fields& fields,
                             uint32_t header_bytes) {
  if (fields.compression != kBitFields) {
    if (fields.bits == 16) return BmpMasks{.blue = 0x1f, .green = 0x3e0, .red = 0x7c00};
    return BmpMasks{.blue = 0xff, .green = 0xff00, .red = 0xff0000};
  }
  std::string_view in = encoded.substr(kFileHeaderBytes + kInfoHeaderBytes);
  BmpMasks masks;
  masks.red = TakeLittleEndian<uint32_t>(in).value_or(0);
  masks.green = TakeLittleEndian<uint32_t>(in).value_or(0);
  masks.blue = TakeLittleEndian<uint32_t>(in).value_or(0);
  if (header_bytes >= kHeaderBytesWithAlpha) {
    masks.alpha = TakeLittleEndian<uint32_t>(in).value_or(0);
  }
  for (const uint32_t mask : {masks.red, masks.green, masks.blue, masks.alpha}) {
    if (!IsContiguous(mask)) {
      return Undecodable(fmt::format("BMP has the colour mask 0x{:08x}, which has gaps", mask));
    }
  }
  return masks;
}

}  // namespace

StatusOr<BmpLayout> ParseBmpLayout(std::string_view encoded) {
  if (encoded.size() < kFileHeaderBytes + 4) return Undecodable("BMP is truncated in its header");
  std::string_view in = encoded.substr(10);
  const uint32_t pixel_offset = TakeLittleEndian<uint32_t>(in).value_or(0);
  const uint32_t header_bytes = TakeLittleEndian<uint32_t>(in).value_or(0);
  const bool core = header_bytes == kCoreHeaderBytes;
  if (!core && (header_bytes < kInfoHeaderBytes || header_bytes > kLargestHeaderBytes)) {
    return Undecodable(
        fmt::format("BMP has a header of {} bytes, expected 12 or 40 to 124", header_bytes));
  }
  if (in.size() < header_bytes - 4) return Undecodable("BMP is truncated in its header");
  const Fields fields = core ? ReadCoreHeader(in) : ReadInfoHeader(in);
  FACEGATE_RETURN_IF_ERROR(CheckFields(fields));
  BmpLayout layout;
  layout.width = static_cast<int>(fields.width);
  layout.height = static_cast<int>(std::abs(fields.height));
  layout.top_down = fields.height < 0;
  layout.bits = fields.bits;
  FACEGATE_ASSIGN_OR_RETURN(layout.masks, ReadMasks(encoded, fields, header_bytes));

  // Each row is padded to four bytes. No overflow: 2^31 pixels of 4 bytes in 2^31 rows stay below
  // 2^64.
  layout.row_bytes = (static_cast<uint64_t>(fields.width) * fields.bits + 31) / 32 * 4;
  layout.pixel_offset = pixel_offset;
  const uint64_t needed = pixel_offset + layout.row_bytes * static_cast<uint64_t>(layout.height);
  if (pixel_offset < kFileHeaderBytes + header_bytes || needed > encoded.size()) {
    return Undecodable(fmt::format("BMP is truncated: its pixels end at byte {}, it has {}", needed,
                                   encoded.size()));
  }
  if (fields.bits > 8) return layout;
  layout.palette_offset = kFileHeaderBytes + header_bytes;
  layout.palette_entry_bytes = core ? 3 : 4;
  // Some writers leave out the colours that no pixel has.
  const size_t room = (pixel_offset - layout.palette_offset) / layout.palette_entry_bytes;
  const size_t announced = fields.colours == 0 ? size_t{1} << fields.bits : fields.colours;
  layout.colours = std::min(announced, room);
  return layout;
}

StatusOr<ImageHeader> ParseBmpHeader(std::string_view encoded) {
  FACEGATE_ASSIGN_OR_RETURN(const BmpLayout layout, ParseBmpLayout(encoded));
  ImageHeader header{.format = ImageFormat::kBmp, .width = layout.width, .height = layout.height};
  header.decode_bytes = 3 * header.pixels() + 4 * static_cast<uint64_t>(layout.width);
  return header;
}

}  // namespace facegate
