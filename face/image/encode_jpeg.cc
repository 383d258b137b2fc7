#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <new>
#include <string>
#include <utility>
// These come after <cstdio>: jpeglib.h needs FILE and size_t and does not include them.
#include <jerror.h>
#include <jpeglib.h>

#include "face/image/encode.h"
#include "face/image/encode_check.h"

namespace facegate {
namespace {

// JpegWriter owns the compressor and the bytes that it makes. A fatal error jumps back into
// Write(), as libjpeg must not return; nothing with a destructor lives in what a jump may leave.
class JpegWriter {
 public:
  JpegWriter() {
    compress_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = OnError;
    errors_.manager.output_message = DropMessage;
  }
  ~JpegWriter() { jpeg_destroy_compress(&compress_); }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;

  bool Write(const PixelView& picture, int quality) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_compress(&compress_);
    compress_.dest = &destination_.manager;
    compress_.client_data = this;
    destination_.manager.init_destination = [](j_compress_ptr compress) { Of(compress).Rewind(); };
    destination_.manager.empty_output_buffer = OnFull;
    destination_.manager.term_destination = OnEnd;
    compress_.image_width = static_cast<JDIMENSION>(picture.width);
    compress_.image_height = static_cast<JDIMENSION>(picture.height);
    compress_.input_components = picture.channels;
    compress_.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_EXT_BGR;
    jpeg_set_defaults(&compress_);
    jpeg_set_quality(&compress_, quality, TRUE);
    jpeg_start_compress(&compress_, TRUE);
    while (compress_.next_scanline < compress_.image_height) {
      // libjpeg only reads the row, though its type does not say so.
      auto* row = const_cast<JSAMPROW>(picture.row(static_cast<int>(compress_.next_scanline)));
      jpeg_write_scanlines(&compress_, &row, 1);
    }
    jpeg_finish_compress(&compress_);
    return true;
  }

  std::string TakeBytes() { return std::move(bytes_); }
  // Why Write() failed.
  std::string message() {
    char message[JMSG_LENGTH_MAX];
    errors_.manager.format_message(reinterpret_cast<j_common_ptr>(&compress_), message);
    return message;
  }
  bool out_of_memory() const { return errors_.manager.msg_code == JERR_OUT_OF_MEMORY; }

 private:
  struct ErrorState {
    jpeg_error_mgr manager;  // the first member: libjpeg hands back its address
    jmp_buf jump;
  };

  [[noreturn]] static void OnError(j_common_ptr compress) {
    std::longjmp(reinterpret_cast<ErrorState*>(compress->err)->jump, 1);
  }
  static void DropMessage(j_common_ptr) {}

  // libjpeg's own destination in memory loses its block where it cannot make a larger one; this one
  // hands on full blocks.
  struct Destination {
    jpeg_destination_mgr manager;
    std::array<JOCTET, 16 << 10> block;
  };
  static JpegWriter& Of(j_compress_ptr compress) {
    return *static_cast<JpegWriter*>(compress->client_data);
  }
  void Rewind() {
    destination_.manager.next_output_byte = destination_.block.data();
    destination_.manager.free_in_buffer = destination_.block.size();
  }
  static boolean OnFull(j_compress_ptr compress) {
    JpegWriter& writer = Of(compress);
    writer.Keep(writer.destination_.block.size());
    writer.Rewind();
    return TRUE;
  }
  static void OnEnd(j_compress_ptr compress) {
    JpegWriter& writer = Of(compress);
    writer.Keep(writer.destination_.block.size() - writer.destination_.manager.free_in_buffer);
  }
  // No exception may cross libjpeg's functions.
  bool Append(size_t count) {
    try {
      bytes_.append(reinterpret_cast<const char*>(destination_.block.data()), count);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  void Keep(size_t count) {
    if (!Append(count)) ERREXIT1(&compress_, JERR_OUT_OF_MEMORY, 0);
  }

  Destination destination_{};
  std::string bytes_;
  jpeg_compress_struct compress_{};
  ErrorState errors_{};
};

}  // namespace

StatusOr<std::string> EncodeJpeg(const PixelView& picture, int quality) {
  FACEGATE_RETURN_IF_ERROR(CheckEncodable(picture, "JPEG", JPEG_MAX_DIMENSION, true));
  JpegWriter writer;
  if (writer.Write(picture, quality)) return writer.TakeBytes();
  return Status(writer.out_of_memory() ? StatusCode::kResourceExhausted : StatusCode::kInternal,
                "writing a JPEG: " + writer.message());
}

}  // namespace facegate
