#include <png.h>
#include <zlib.h>

#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <new>
#include <string>
#include <utility>

#include "face/image/encode.h"
#include "face/image/encode_check.h"

namespace facegate {
namespace {

constexpr int kMostSide = 1'000'000;  // libpng's own limit

// PngWriter owns libpng's writer and the bytes that it makes. A fatal error jumps back into
// Write(), as libpng must not return; nothing with a destructor lives in what a jump may leave.
class PngWriter {
 public:
  PngWriter() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  bool Write(const PixelView& picture) {
    if (info_ == nullptr) return false;
    if (setjmp(jump_) != 0) return false;
    png_set_write_fn(png_, this, OnWrite, OnFlush);
    // Differences to the left neighbour, and the quickest search for runs among them.
    png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_compression_level(png_, Z_BEST_SPEED);
    png_set_compression_strategy(png_, Z_RLE);
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(picture.width),
                 static_cast<png_uint_32>(picture.height), 8,
                 picture.channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    png_set_bgr(png_);
    for (int y = 0; y < picture.height; ++y) png_write_row(png_, picture.row(y));
    png_write_end(png_, info_);
    return true;
  }

  std::string TakeBytes() { return std::move(bytes_); }
  // Why Write() failed.
  const char* message() const { return message_.data(); }

 private:
  [[noreturn]] static void OnError(png_structp png, png_const_charp message) {
    auto& writer = *static_cast<PngWriter*>(png_get_error_ptr(png));
    std::snprintf(writer.message_.data(), writer.message_.size(), "%s", message);
    std::longjmp(writer.jump_, 1);
  }
  static void OnWarning(png_structp /*png*/, png_const_charp /*message*/) {}
  static void OnWrite(png_structp png, png_bytep bytes, size_t size) {
    auto& writer = *static_cast<PngWriter*>(png_get_io_ptr(png));
    if (!writer.Append({reinterpret_cast<const char*>(bytes), size})) {
      png_error(png, "out of memory");
    }
  }
  static void OnFlush(png_structp /*png*/) {}

  // No exception may cross libpng's functions.
  bool Append(std::string_view bytes) {
    try {
      bytes_.append(bytes);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::string bytes_;
  std::array<char, 128> message_{"out of memory"};
  jmp_buf jump_{};
};

}  // namespace

StatusOr<std::string> EncodePng(const PixelView& picture) {
  FACEGATE_RETURN_IF_ERROR(CheckEncodable(picture, "PNG", kMostSide, true));
  PngWriter writer;
  if (writer.Write(picture)) return writer.TakeBytes();
  // Memory is the only thing that writing to memory can lack.
  return Status(StatusCode::kResourceExhausted, std::string("writing a PNG: ") + writer.message());
}

}  // namespace facegate
