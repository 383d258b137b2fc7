#pragma once

#include "clients/cli/canvas.h"

namespace facegate::cli {

// Says what is to be thought of an answer; shown by a colour and, for those who do not see it, a
// sign.
enum class VerdictMark {
  kRight,   // green, a tick: the right person, or just somebody where nobody knows who is right
  kNobody,  // grey, a question mark: nobody was found
  kRightNobody,  // grey, a tick: nobody was found, rightly
  kUnfit,        // amber, an exclamation mark: the face is not fit to be compared
  kWrong,        // red, a cross: somebody else was found, or nobody though the person is enrolled
};

Colour ColourOf(VerdictMark mark);

// DrawMark() draws so many pixels wide and high.
inline constexpr int kMarkSide = 13;

// Draws the sign, white on a square of the colour, with its upper left corner at (`left`, `top`);
// what lies outside of the picture is cut off.
void DrawMark(VerdictMark mark, int left, int top, Canvas& canvas);

}  // namespace facegate::cli
