#include "face/image/jpeg_pixels.h"

#include <fmt/format.h>

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>
// These come after <cstdio>: jpeglib.h needs FILE and size_t and does not include them.
#include <jerror.h>
#include <jpeglib.h>

#include "face/image/undecodable.h"

namespace facegate {
namespace {

// Warnings after which every pixel is still as the encoder meant it.
bool IsHarmless(int message_code) {
  switch (message_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_TOO_MUCH_DATA:
    // The bytes end; whether a pixel lacks any, JWRN_HIT_MARKER tells.
    case JWRN_JPEG_EOF:
      return true;
    default:
      return false;
  }
}

// libjpeg reports through these; a fatal error jumps back into Run(), as libjpeg must not return.
struct ErrorState {
  jpeg_error_mgr manager;  // the first member: libjpeg hands back its address
  jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

ErrorState& StateOf(j_common_ptr decompress) {
  return *reinterpret_cast<ErrorState*>(decompress->err);
}

[[noreturn]] void OnError(j_common_ptr decompress) {
  ErrorState& state = StateOf(decompress);
  state.manager.format_message(decompress, state.message);
  std::longjmp(state.jump, 1);
}

void OnMessage(j_common_ptr decompress, int level) {
  ErrorState& state = StateOf(decompress);
  if (level < 0 && !IsHarmless(state.manager.msg_code)) OnError(decompress);
}

void DropMessage(j_common_ptr) {}

// C = 255 - c and so on; Adobe's encoders store all four inverted.
void WriteCmykRow(const uint8_t* cmyk, bool inverted, int width, uint8_t* bgr) {
  const auto ink_free = [&](uint8_t ink) { return inverted ? ink : 255 - ink; };
  for (int column = 0; column < width; ++column, cmyk += 4, bgr += 3) {
    const int key = ink_free(cmyk[3]);
    for (int channel = 0; channel < 3; ++channel) {
      bgr[2 - channel] = static_cast<uint8_t>((ink_free(cmyk[channel]) * key + 127) / 255);
    }
  }
}

// Owns the decompressor. Nothing with a destructor lives in the functions that a jump may leave.
class JpegReader {
 public:
  JpegReader(std::string_view encoded, bool has_end_marker, const StopCheck& stop)
      : encoded_(encoded), has_end_marker_(has_end_marker), stop_(stop) {
    decompress_.err = jpeg_std_error(&errors_.manager);
    errors_.manager.error_exit = OnError;
    errors_.manager.emit_message = OnMessage;
    errors_.manager.output_message = DropMessage;
    errors_.message[0] = '\0';
    progress_.progress_monitor = OnProgress;
  }
  ~JpegReader() { jpeg_destroy_decompress(&decompress_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  // `row` holds four bytes for each column of `bgr`.
  bool Read(const PixelRows& bgr, std::vector<uint8_t>& row) {
    if (setjmp(errors_.jump) != 0) return false;
    jpeg_create_decompress(&decompress_);
    decompress_.client_data = this;
    decompress_.progress = &progress_;
    jpeg_mem_src(&decompress_, reinterpret_cast<const unsigned char*>(encoded_.data()),
                 static_cast<unsigned long>(encoded_.size()));
    jpeg_read_header(&decompress_, TRUE);
    // Its decoder takes what is missing for zeros, as encoders may leave zeros out at the end of a
    // scan, and gives no warning: a cut cannot be told from a whole picture.
    if (!has_end_marker_ && decompress_.arith_code != FALSE) return Fail("it is arithmetic-coded");
    const bool four_inks = decompress_.num_components == 4;
    decompress_.out_color_space = four_inks ? JCS_CMYK : JCS_EXT_BGR;
    jpeg_start_decompress(&decompress_);
    if (decompress_.output_width != static_cast<JDIMENSION>(bgr.width) ||
        decompress_.output_height != static_cast<JDIMENSION>(bgr.height)) {
      return Fail("its size is not that of its first frame header");
    }
    if (!has_end_marker_ && !HasEveryCoefficient()) return Fail("some of its scans are missing");
    while (decompress_.output_scanline < decompress_.output_height) {
      uint8_t* target = bgr.row(static_cast<int>(decompress_.output_scanline));
      JSAMPROW line = four_inks ? row.data() : target;
      if (jpeg_read_scanlines(&decompress_, &line, 1) != 1) return Fail("its data end too early");
      if (four_inks) WriteCmykRow(line, decompress_.saw_Adobe_marker != FALSE, bgr.width, target);
    }
    if (has_end_marker_) jpeg_finish_decompress(&decompress_);
    return true;
  }

  const char* message() const { return errors_.message; }
  const Status& stopped() const { return stopped_; }

 private:
  // libjpeg calls this for each row of units of each scan, and for each row of pixels.
  static void OnProgress(j_common_ptr decompress) {
    auto& reader = *static_cast<JpegReader*>(decompress->client_data);
    if (!reader.StillWanted()) std::longjmp(reader.errors_.jump, 1);
  }
  bool StillWanted() {
    stopped_ = Ask(stop_);
    return stopped_.ok();
  }

  // True when the scans of a progressive picture told all about it: libjpeg notes for each
  // coefficient how many of its low bits it does not know, or -1.
  bool HasEveryCoefficient() const {
    if (decompress_.coef_bits == nullptr) return true;
    for (int component = 0; component < decompress_.num_components; ++component) {
      for (const int unknown_bits : decompress_.coef_bits[component]) {
        if (unknown_bits != 0) return false;
      }
    }
    return true;
  }

  bool Fail(const char* why) {
    std::snprintf(errors_.message, sizeof(errors_.message), "%s", why);
    return false;
  }

  const std::string_view encoded_;
  const bool has_end_marker_;
  const StopCheck& stop_;
  Status stopped_;
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct decompress_{};
  ErrorState errors_{};
};

}  // namespace

Status DecodeJpegPixels(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                        const PixelRows& bgr) {
  std::vector<uint8_t> row(static_cast<size_t>(bgr.width) * 4);
  JpegReader reader(encoded.substr(0, header.picture_bytes), header.has_end_marker, stop);
  if (reader.Read(bgr, row)) return OkStatus();
  if (!reader.stopped().ok()) return reader.stopped();
  return Undecodable(fmt::format("{}: {}",
                                 header.has_end_marker
                                     ? "JPEG does not decode whole"
                                     : "JPEG is truncated: it has no end marker, and does not "
                                       "decode whole",
                                 reader.message()));
}

}  // namespace facegate
