#include "face/image/webp_pixels.h"

#include <fmt/format.h>
#include <webp/decode.h>

#include <algorithm>
#include <cstdint>
#include <memory>

#include "face/image/ground.h"
#include "face/image/undecodable.h"

namespace facegate {
namespace {

// The bytes are given in so many steps, or of this size if that is fewer.
constexpr size_t kSteps = 256;
constexpr size_t kSmallestStep = 4096;

struct FreeDecoder {
  void operator()(WebPIDecoder* decoder) const { WebPIDelete(decoder); }
};

Status Undecodable(const ImageHeader& header, std::string_view why) {
  return facegate::Undecodable(
      fmt::format("WebP of {}x{} pixels {}", header.width, header.height, why));
}

bool HasRows(const WebPIDecoder& decoder) {
  int last_row = 0;
  return WebPIDecGetRGB(&decoder, &last_row, nullptr, nullptr, nullptr) != nullptr && last_row > 0;
}

// Fills `pixels`, of 3 or 4 channels.
Status ReadPixels(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                  const PixelRows& pixels) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(encoded.data());
  const std::unique_ptr<WebPIDecoder, FreeDecoder> decoder(WebPINewRGB(
      pixels.channels == 4 ? MODE_BGRA : MODE_BGR, pixels.first,
      pixels.stride * static_cast<size_t>(pixels.height), static_cast<int>(pixels.stride)));
  if (decoder == nullptr) return Undecodable(header, "cannot be read by libwebp");
  const size_t step = std::max(kSmallestStep, encoded.size() / kSteps);
  VP8StatusCode state = VP8_STATUS_SUSPENDED;
  for (size_t given = 0; given < encoded.size() && state == VP8_STATUS_SUSPENDED;) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    // The steps grow, because libwebp reads its tables again in each step while there are no rows.
    const size_t growing = HasRows(*decoder) ? 0 : given / 4;
    given = std::min(given + std::max(step, growing), encoded.size());
    state = WebPIUpdate(decoder.get(), bytes, given);
  }
  return state == VP8_STATUS_OK ? OkStatus() : Undecodable(header, "does not decode whole");
}

}  // namespace

Status DecodeWebpPixels(std::string_view encoded, const ImageHeader& header, const StopCheck& stop,
                        const PixelRows& bgr) {
  WebPBitstreamFeatures features;
  const VP8StatusCode known =
      WebPGetFeatures(reinterpret_cast<const uint8_t*>(encoded.data()), encoded.size(), &features);
  if (known != VP8_STATUS_OK || features.width != header.width ||
      features.height != header.height) {
    return Undecodable(header, "is not recognised by libwebp");
  }
  if (features.has_alpha == 0) return ReadPixels(encoded, header, stop, bgr);
  Pixels bgra(bgr.width, bgr.height, 4);
  FACEGATE_RETURN_IF_ERROR(ReadPixels(encoded, header, stop, bgra.rows()));
  return LayOnWhite(bgra.view(), stop, bgr);
}

}  // namespace facegate
