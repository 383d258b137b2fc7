#include "face/image/ground.h"

#include "face/image/row_steps.h"

namespace facegate {

void LayOnWhite(const uint8_t* bgra, int width, uint8_t* bgr) {
  for (int column = 0; column < width; ++column, bgra += 4, bgr += 3) {
    const int alpha = bgra[3];
    for (int channel = 0; channel < 3; ++channel) {
      bgr[channel] =
          static_cast<uint8_t>((bgra[channel] * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
}

Status LayOnWhite(const PixelView& bgra, const StopCheck& stop, const PixelRows& bgr) {
  for (int row = 0; row < bgra.height; ++row) {
    FACEGATE_RETURN_IF_ERROR(AskInRow(stop, row, bgra.width));
    LayOnWhite(bgra.row(row), bgra.width, bgr.row(row));
  }
  return OkStatus();
}

}  // namespace facegate
