#include "face/image/bmp_pixels.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "face/image/bmp_header.h"
#include "face/image/ground.h"
#include "face/image/row_steps.h"

namespace facegate {
namespace {

// A channel of a pixel as 0 to 255.
class Channel {
 public:
  explicit Channel(uint32_t mask)
      : mask_(mask), shift_(mask == 0 ? 0 : std::countr_zero(mask)), largest_(mask >> shift_) {}

  uint8_t Of(uint32_t pixel) const {
    if (mask_ == 0) return 0;
    const uint64_t value = (pixel & mask_) >> shift_;
    return static_cast<uint8_t>((value * 255 + largest_ / 2) / largest_);
  }

 private:
  uint32_t mask_;
  int shift_;
  uint32_t largest_;
};

using Palette = std::array<std::array<uint8_t, 3>, 256>;

uint32_t Byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

// Colours that are not there are black.
Palette ReadPalette(std::string_view encoded, const BmpLayout& layout) {
  Palette palette{};
  std::string_view in = encoded.substr(layout.palette_offset);
  for (size_t i = 0; i < layout.colours; ++i, in.remove_prefix(layout.palette_entry_bytes)) {
    for (size_t channel = 0; channel < 3; ++channel) {
      palette[i][channel] = static_cast<uint8_t>(in[channel]);
    }
  }
  return palette;
}

class BmpReader {
 public:
  BmpReader(std::string_view encoded, const BmpLayout& layout)
      : encoded_(encoded),
        layout_(layout),
        palette_(layout.bits <= 8 ? ReadPalette(encoded, layout) : Palette{}) {}

  // `row` counts from the top of the picture.
  std::string_view RowBytes(int row) const {
    const auto stored = static_cast<size_t>(layout_.top_down ? row : layout_.height - 1 - row);
    return encoded_.substr(layout_.pixel_offset + stored * layout_.row_bytes, layout_.row_bytes);
  }

  void ReadOpaqueRow(int row, uint8_t* bgr) const {
    const std::string_view bytes = RowBytes(row);
    for (int column = 0; column < layout_.width; ++column, bgr += 3) {
      const auto at = static_cast<size_t>(column);
      if (layout_.bits <= 8) {
        const auto& colour = palette_[Index(bytes, at)];
        for (size_t channel = 0; channel < 3; ++channel) bgr[channel] = colour[channel];
      } else if (layout_.bits == 24) {
        for (size_t i = 0; i < 3; ++i) bgr[i] = static_cast<uint8_t>(bytes[3 * at + i]);
      } else {
        WriteColours(Pixel(bytes, at), bgr);
      }
    }
  }

  void ReadTransparentRow(int row, uint8_t* bgra) const {
    const std::string_view bytes = RowBytes(row);
    for (int column = 0; column < layout_.width; ++column, bgra += 4) {
      const uint32_t pixel = Pixel(bytes, static_cast<size_t>(column));
      WriteColours(pixel, bgra);
      bgra[3] = alpha_.Of(pixel);
    }
  }

  // True when any pixel of the row is not fully transparent.
  bool ShowsSomething(int row) const {
    const std::string_view bytes = RowBytes(row);
    for (int column = 0; column < layout_.width; ++column) {
      if ((Pixel(bytes, static_cast<size_t>(column)) & layout_.masks.alpha) != 0) return true;
    }
    return false;
  }

 private:
  // The highest bits of a byte are the leftmost pixel.
  size_t Index(std::string_view row, size_t column) const {
    const size_t bit = column * layout_.bits;
    const size_t shift = 8 - layout_.bits - bit % 8;
    return Byte(row, bit / 8) >> shift & ((1U << layout_.bits) - 1);
  }
  // Reads a pixel of 16 or 32 bits.
  uint32_t Pixel(std::string_view row, size_t column) const {
    if (layout_.bits == 16) return Byte(row, 2 * column) | Byte(row, 2 * column + 1) << 8;
    const size_t at = 4 * column;
    return Byte(row, at) | Byte(row, at + 1) << 8 | Byte(row, at + 2) << 16 |
           Byte(row, at + 3) << 24;
  }
  void WriteColours(uint32_t pixel, uint8_t* bgr) const {
    bgr[0] = blue_.Of(pixel);
    bgr[1] = green_.Of(pixel);
    bgr[2] = red_.Of(pixel);
  }

  const std::string_view encoded_;
  const BmpLayout& layout_;
  const Palette palette_;
  const Channel blue_{layout_.masks.blue};
  const Channel green_{layout_.masks.green};
  const Channel red_{layout_.masks.red};
  const Channel alpha_{layout_.masks.alpha};
};

StatusOr<bool> HasAlpha(const BmpReader& reader, const BmpLayout& layout, const StopCheck& stop) {
  if (layout.bits <= 8 || layout.masks.alpha == 0) return false;
  for (int row = 0; row < layout.height; ++row) {
    FACEGATE_RETURN_IF_ERROR(AskInRow(stop, row, layout.width));
    if (reader.ShowsSomething(row)) return true;
  }
  return false;
}

}  // namespace

Status DecodeBmpPixels(std::string_view encoded, const StopCheck& stop, const PixelRows& bgr) {
  FACEGATE_ASSIGN_OR_RETURN(const BmpLayout layout, ParseBmpLayout(encoded));
  const BmpReader reader(encoded, layout);
  FACEGATE_ASSIGN_OR_RETURN(const bool transparent, HasAlpha(reader, layout, stop));
  std::vector<uint8_t> bgra(transparent ? static_cast<size_t>(layout.width) * 4 : 0);
  for (int row = 0; row < layout.height; ++row) {
    FACEGATE_RETURN_IF_ERROR(AskInRow(stop, row, layout.width));
    if (transparent) {
      reader.ReadTransparentRow(row, bgra.data());
      LayOnWhite(bgra.data(), layout.width, bgr.row(row));
    } else {
      reader.ReadOpaqueRow(row, bgr.row(row));
    }
  }
  return OkStatus();
}

}  // namespace facegate
