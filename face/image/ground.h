#pragma once

#include <cstdint>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/pixels.h"

namespace facegate {

// Lays `width` BGRA pixels (the colours not multiplied by alpha) on white, as viewers show them:
// what lies under full transparency is often a leftover that nobody was meant to see.
void LayOnWhite(const uint8_t* bgra, int width, uint8_t* bgr);

// Does the same for a whole picture; both have one size.
Status LayOnWhite(const PixelView& bgra, const StopCheck& stop, const PixelRows& bgr);

}  // namespace facegate
