#pragma once

#include <string_view>

#include "clients/cli/canvas.h"

namespace facegate::cli {

// Letters are drawn with a pen, of lines alone. What is not printable ASCII is a question mark,
// byte by byte.
struct Pen {
  double letter_height = 9;  // of capital letters, pixels
  double thickness = 1;
  Colour colour{};
};

// How many pixels a line of text takes from left to right.
double WidthOf(std::string_view text, const Pen& pen);

// Writes a line of text; `left` is where it begins, on the line that letters stand on.
void WriteText(std::string_view text, const Point& left, const Pen& pen, Canvas& canvas);

}  // namespace facegate::cli
