#pragma once

#include <algorithm>

#include "face/base/stop_check.h"

namespace facegate {

// Asks `stop` about once in as many pixels as any decoder does in a millisecond. `row` counts the
// rows of a picture of `width` pixels, each once.
inline Status AskInRow(const StopCheck& stop, int row, int width) {
  constexpr int kPixelsBetween = 32768;
  const int rows_between = std::max(1, kPixelsBetween / std::max(width, 1));
  return row % rows_between == 0 ? Ask(stop) : OkStatus();
}

}  // namespace facegate
