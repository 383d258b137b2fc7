#include "clients/cli/verdict_mark.h"

#include "clients/cli/lettering.h"

namespace facegate::cli {

Colour ColourOf(VerdictMark mark) {
  switch (mark) {
    case VerdictMark::kRight:
      return {60, 150, 20};
    case VerdictMark::kWrong:
      return {40, 40, 190};
    case VerdictMark::kUnfit:
      return {0, 105, 200};
    case VerdictMark::kNobody:
    case VerdictMark::kRightNobody:
      break;
  }
  return Grey(95);
}

void DrawMark(VerdictMark mark, int left, int top, Canvas& canvas) {
  constexpr Colour kWhite = Grey(255);
  canvas.Fill({left, top, kMarkSide, kMarkSide}, ColourOf(mark));
  const auto line = [&](const Point& from, const Point& to) {
    canvas.DrawLine({left + from.x, top + from.y}, {left + to.x, top + to.y}, 2, kWhite);
  };
  switch (mark) {
    case VerdictMark::kRight:
    case VerdictMark::kRightNobody:
      line({3, 7}, {5, 9});
      line({5, 9}, {9, 3});
      break;
    case VerdictMark::kWrong:
      line({3, 3}, {9, 9});
      line({9, 3}, {3, 9});
      break;
    case VerdictMark::kUnfit:
      line({6, 2}, {6, 7});
      line({6, 10}, {6, 10});
      break;
    case VerdictMark::kNobody:
      WriteText("?", {left + 4., top + 10.}, {.letter_height = 8, .colour = kWhite}, canvas);
      break;
  }
}

}  // namespace facegate::cli
