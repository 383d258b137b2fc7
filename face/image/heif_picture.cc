#include "face/image/heif_picture.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "face/image/ground.h"
#include "face/image/heif_library.h"
#include "face/image/row_steps.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

// The decoder's planes and libheif's copies of them, twice as large for more than 8 bits, RGBA, and
// our BGR.
constexpr uint64_t kBytesPerPixel = 18;
constexpr uint64_t kFixedBytes = 1 << 20;

struct ReleaseContext {
  const HeifLibrary* heif;
  void operator()(HeifContext* context) const { heif->context_free(context); }
};
struct ReleaseHandle {
  const HeifLibrary* heif;
  void operator()(HeifHandle* handle) const { heif->handle_release(handle); }
};
struct ReleaseImage {
  const HeifLibrary* heif;
  void operator()(HeifImage* image) const { heif->image_release(image); }
};

Status Refusal(ImageFormat format, const HeifError& error) {
  return Undecodable(fmt::format("{} does not decode: {}", Name(format),
                                 error.message == nullptr ? "no reason was given" : error.message));
}

class LibheifPicture final : public HeifPicture {
 public:
  using Context = std::unique_ptr<HeifContext, ReleaseContext>;
  using Handle = std::unique_ptr<HeifHandle, ReleaseHandle>;

  LibheifPicture(const HeifLibrary& heif, Context context, Handle handle, ImageFormat format)
      : heif_(heif),
        context_(std::move(context)),
        handle_(std::move(handle)),
        header_{.format = format,
                .width = heif.handle_width(handle_.get()),
                .height = heif.handle_height(handle_.get())} {
    header_.decode_bytes = kBytesPerPixel * header_.pixels() + kFixedBytes;
  }

  const ImageHeader& header() const override { return header_; }

  Status Decode(const StopCheck& stop, const PixelRows& bgr) override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const bool transparent = heif_.handle_has_alpha(handle_.get()) != 0;
    HeifImage* decoded = nullptr;
    const HeifError error = heif_.decode(handle_.get(), &decoded, kHeifColourspaceRgb,
                                         transparent ? kHeifChromaRgba : kHeifChromaRgb, nullptr);
    const std::unique_ptr<HeifImage, ReleaseImage> image(decoded, {&heif_});
    if (error.code != 0) return Refusal(header_.format, error);
    int stride = 0;
    const uint8_t* const pixels = heif_.plane(decoded, kHeifChannelInterleaved, &stride);
    if (pixels == nullptr || heif_.image_width(decoded, kHeifChannelInterleaved) != header_.width ||
        heif_.image_height(decoded, kHeifChannelInterleaved) != header_.height ||
        stride < header_.width * (transparent ? 4 : 3)) {
      return Refusal(header_.format, {.message = "its size is not that of its header"});
    }
    return PutInOrder(pixels, stride, transparent, stop, bgr);
  }

 private:
  // Converts from RGB or RGBA.
  static Status PutInOrder(const uint8_t* pixels, int stride, bool transparent,
                           const StopCheck& stop, const PixelRows& bgr) {
    std::vector<uint8_t> bgra(static_cast<size_t>(bgr.width) * 4);
    for (int row = 0; row < bgr.height; ++row) {
      FACEGATE_RETURN_IF_ERROR(AskInRow(stop, row, bgr.width));
      const uint8_t* from = pixels + static_cast<ptrdiff_t>(row) * stride;
      const int channels = transparent ? 4 : 3;
      uint8_t* to = transparent ? bgra.data() : bgr.row(row);
      for (int column = 0; column < bgr.width; ++column, from += channels, to += channels) {
        to[0] = from[2];
        to[1] = from[1];
        to[2] = from[0];
        if (transparent) to[3] = from[3];
      }
      if (transparent) LayOnWhite(bgra.data(), bgr.width, bgr.row(row));
    }
    return OkStatus();
  }

  const HeifLibrary& heif_;
  const Context context_;  // outlives its handle
  const Handle handle_;
  ImageHeader header_;
};

}  // namespace

StatusOr<std::unique_ptr<HeifPicture>> HeifPicture::Open(std::string_view encoded,
                                                         ImageFormat format, int max_side) {
  FACEGATE_ASSIGN_OR_RETURN(const HeifLibrary* const heif, OpenHeifLibrary());
  LibheifPicture::Context context(heif->context_alloc(), {heif});
  if (context == nullptr) return Status(StatusCode::kResourceExhausted, "HEIC: out of memory");
  heif->set_largest_side(context.get(), max_side);
  heif->set_threads(context.get(), 0);
  const HeifError read = heif->read(context.get(), encoded.data(), encoded.size(), nullptr);
  if (read.code != 0) return Refusal(format, read);
  HeifHandle* raw = nullptr;
  const HeifError found = heif->primary_handle(context.get(), &raw);
  LibheifPicture::Handle handle(raw, {heif});
  if (found.code != 0 || raw == nullptr) return Refusal(format, found);
  auto picture =
      std::make_unique<LibheifPicture>(*heif, std::move(context), std::move(handle), format);
  if (picture->header().width < 1 || picture->header().height < 1) {
    return Refusal(format, {.message = "it has no pixels"});
  }
  return picture;
}

}  // namespace facegate
