#pragma once

#include <cstdint>
#include <utility>

#include "face/image/pixels.h"

namespace facegate::cli {

struct Colour {
  uint8_t blue = 0;
  uint8_t green = 0;
  uint8_t red = 0;
};

constexpr Colour Grey(uint8_t light) { return {light, light, light}; }

// A place in a picture in pixels: x grows to the right, y down, the middle of the first pixel is
// (0, 0).
struct Point {
  double x = 0;
  double y = 0;
};

// Whole pixels: the first column and row, and how many there are.
struct Box {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// A BGR picture to draw on. What lies outside of it is cut off. Lines and dots have soft edges.
class Canvas {
 public:
  Canvas(int width, int height, Colour ground);
  explicit Canvas(Pixels picture) : pixels_(std::move(picture)) {}

  int width() const { return pixels_.width(); }
  int height() const { return pixels_.height(); }
  PixelView view() const { return pixels_.view(); }
  Pixels TakePixels() && { return std::move(pixels_); }

  void Fill(const Box& box, Colour colour);
  // Draws a line with round ends.
  void DrawLine(const Point& from, const Point& to, double thickness, Colour colour);
  void DrawDot(const Point& centre, double diameter, Colour colour);
  // Draws the edge of the box; its line runs over the box's outermost pixels.
  void DrawFrame(const Box& box, double thickness, Colour colour);
  // Copies a BGR picture here, its upper left corner to (`x`, `y`).
  void Place(const PixelView& picture, int x, int y);

 private:
  Pixels pixels_;
};

}  // namespace facegate::cli
