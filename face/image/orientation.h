#pragma once

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/image/pixels.h"

namespace facegate {

// Tells whether a picture of this EXIF orientation is stored on its side, so that the upright one
// is as wide as the stored one is high.
constexpr bool LiesOnItsSide(int orientation) { return orientation >= 5 && orientation <= 8; }

// Turns a BGR picture upright by its EXIF orientation (1 to 8; anything else is taken as 1).
// `upright` has the size that follows. Moves pixels and computes none, so the pictures of all eight
// orientations are equal to the bit. Thread-safe.
Status TurnUpright(const PixelView& stored, int orientation, const StopCheck& stop,
                   const PixelRows& upright);

}  // namespace facegate
