#include "face/image/png_pixels.h"

#include <fmt/format.h>
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "face/image/ground.h"
#include "face/image/row_steps.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

constexpr int kAllKnownAncillaryChunks = -1;

// Owns libpng's reader. A fatal error jumps back into Begin() or ReadRows(), as libpng must not
// return; nothing with a destructor lives in the functions that a jump may leave.
class PngReader {
 public:
  PngReader(std::string_view encoded, const StopCheck& stop) : left_(encoded), stop_(stop) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  // Reads the header and asks for 8-bit BGR or BGRA. False on an error.
  bool Begin() {
    if (info_ == nullptr) return false;
    if (setjmp(jump_) != 0) return false;
    // The transparent colours (tRNS) are not among them.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, kAllKnownAncillaryChunks);
    png_set_read_fn(png_, this, OnRead);
    png_read_info(png_, info_);
    png_set_expand(png_);
    png_set_strip_16(png_);
    png_set_gray_to_rgb(png_);
    png_set_bgr(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  // Reads all rows; `row_of` gives where each is written, `done` takes it. False on an error, or
  // when the caller is to stop.
  template <typename RowOf, typename Done>
  bool ReadRows(int height, int width, const RowOf& row_of, const Done& done) {
    if (setjmp(jump_) != 0) return false;
    for (pass_ = 0; pass_ < passes_; ++pass_) {
      for (row_ = 0; row_ < height; ++row_) {
        if (!StillWanted(width)) return false;
        png_read_row(png_, row_of(row_), nullptr);
        done(row_);
      }
    }
    return true;
  }

  bool HasSize(const ImageHeader& header) const {
    return png_get_image_width(png_, info_) == static_cast<png_uint_32>(header.width) &&
           png_get_image_height(png_, info_) == static_cast<png_uint_32>(header.height);
  }
  int channels() const { return png_get_channels(png_, info_); }
  int passes() const { return passes_; }
  const char* message() const { return message_.data(); }
  const Status& stopped() const { return stopped_; }

 private:
  [[noreturn]] static void OnError(png_structp png, png_const_charp message) {
    auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader.message_.data(), reader.message_.size(), "%s", message);
    std::longjmp(reader.jump_, 1);
  }
  static void OnWarning(png_structp /*png*/, png_const_charp /*message*/) {}
  static void OnRead(png_structp png, png_bytep out, size_t bytes) {
    auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (bytes > reader.left_.size()) png_error(png, "its data end too early");
    std::memcpy(out, reader.left_.data(), bytes);
    reader.left_.remove_prefix(bytes);
  }

  bool StillWanted(int width) {
    stopped_ = AskInRow(stop_, row_, width);
    return stopped_.ok();
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string_view left_;
  const StopCheck& stop_;
  Status stopped_;
  int passes_ = 1;
  int pass_ = 0;
  int row_ = 0;
  std::array<char, 128> message_{};
  jmp_buf jump_{};
};

Status WhyNot(const PngReader& reader, const ImageHeader& header) {
  if (!reader.stopped().ok()) return reader.stopped();
  return Undecodable(fmt::format("PNG of {}x{} pixels does not decode whole: {}", header.width,
                                 header.height, reader.message()));
}

// Reads all rows as they are: 3 or 4 channels.
bool ReadAsItIs(PngReader& reader, const PixelRows& pixels) {
  return reader.ReadRows(
      pixels.height, pixels.width, [&](int row) { return pixels.row(row); }, [](int) {});
}

bool ReadTransparent(PngReader& reader, const PixelRows& bgr) {
  std::vector<uint8_t> bgra(static_cast<size_t>(bgr.width) * 4);
  return reader.ReadRows(
      bgr.height, bgr.width, [&](int) { return bgra.data(); },
      [&](int row) { LayOnWhite(bgra.data(), bgr.width, bgr.row(row)); });
}

}  // namespace

Status DecodePngPixels(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                       const PixelRows& bgr) {
  PngReader reader(encoded, stop);
  if (!reader.Begin() || !reader.HasSize(header)) return WhyNot(reader, header);
  const bool opaque = reader.channels() == 3;
  if (!opaque && reader.passes() > 1) {
    // Each pass brings some pixels of a row: all must be there before any is laid on white.
    Pixels bgra(bgr.width, bgr.height, 4);
    if (!ReadAsItIs(reader, bgra.rows())) return WhyNot(reader, header);
    return LayOnWhite(bgra.view(), stop, bgr);
  }
  const bool read = opaque ? ReadAsItIs(reader, bgr) : ReadTransparent(reader, bgr);
  return read ? OkStatus() : WhyNot(reader, header);
}

}  // namespace facegate
