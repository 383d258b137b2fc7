#pragma once

#include "face/image/pixels.h"

namespace facegate::cli {

// Makes a BGR picture `width` pixels wide and `height` high: the mean of what a pixel covers where
// that is smaller, between the nearest pixels where it is larger.
Pixels Resized(const PixelView& picture, int width, int height);

}  // namespace facegate::cli
