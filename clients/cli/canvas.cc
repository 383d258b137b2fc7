#include "clients/cli/canvas.h"

#include <algorithm>
#include <cmath>

namespace facegate::cli {
namespace {

uint8_t Mixed(uint8_t below, uint8_t above, double cover) {
  return static_cast<uint8_t>(std::lround(below + (above - below) * cover));
}

// How far a place is from the line between two others.
double DistanceToLine(const Point& place, const Point& from, const Point& to) {
  const double x = to.x - from.x;
  const double y = to.y - from.y;
  const double length = x * x + y * y;
  const double along =
      length == 0 ? 0
                  : std::clamp(((place.x - from.x) * x + (place.y - from.y) * y) / length, 0., 1.);
  return std::hypot(place.x - from.x - along * x, place.y - from.y - along * y);
}

// The whole pixels of 0..`size` - 1 that lie between two places, as the first one and one past the
// last.
std::pair<int, int> Between(double low, double high, int size) {
  const double limit = size;
  return {static_cast<int>(std::floor(std::clamp(low, 0., limit))),
          static_cast<int>(std::ceil(std::clamp(high + 1, 0., limit)))};
}

}  // namespace

Canvas::Canvas(int width, int height, Colour ground) : pixels_(width, height) {
  Fill({0, 0, width, height}, ground);
}

void Canvas::Fill(const Box& box, Colour colour) {
  const auto [top, bottom] = Between(box.y, box.y + box.height - 1, height());
  const auto [left, right] = Between(box.x, box.x + box.width - 1, width());
  for (int y = top; y < bottom; ++y) {
    uint8_t* pixel = pixels_.rows().row(y) + 3 * static_cast<size_t>(left);
    for (int x = left; x < right; ++x, pixel += 3) {
      pixel[0] = colour.blue;
      pixel[1] = colour.green;
      pixel[2] = colour.red;
    }
  }
}

void Canvas::DrawLine(const Point& from, const Point& to, double thickness, Colour colour) {
  const double reach = thickness / 2 + 0.5;
  const auto [top, bottom] =
      Between(std::min(from.y, to.y) - reach, std::max(from.y, to.y) + reach, height());
  const auto [left, right] =
      Between(std::min(from.x, to.x) - reach, std::max(from.x, to.x) + reach, width());
  for (int y = top; y < bottom; ++y) {
    uint8_t* pixel = pixels_.rows().row(y) + 3 * static_cast<size_t>(left);
    for (int x = left; x < right; ++x, pixel += 3) {
      const Point place{static_cast<double>(x), static_cast<double>(y)};
      const double cover = std::clamp(reach - DistanceToLine(place, from, to), 0., 1.);
      pixel[0] = Mixed(pixel[0], colour.blue, cover);
      pixel[1] = Mixed(pixel[1], colour.green, cover);
      pixel[2] = Mixed(pixel[2], colour.red, cover);
    }
  }
}

void Canvas::DrawDot(const Point& centre, double diameter, Colour colour) {
  DrawLine(centre, centre, diameter, colour);
}

void Canvas::DrawFrame(const Box& box, double thickness, Colour colour) {
  const double left = box.x;
  const double top = box.y;
  const double right = left + box.width - 1;
  const double bottom = top + box.height - 1;
  DrawLine({left, top}, {right, top}, thickness, colour);
  DrawLine({right, top}, {right, bottom}, thickness, colour);
  DrawLine({right, bottom}, {left, bottom}, thickness, colour);
  DrawLine({left, bottom}, {left, top}, thickness, colour);
}

void Canvas::Place(const PixelView& picture, int x, int y) {
  const int left = std::max(x, 0);
  const int right = std::min(x + picture.width, width());
  if (left >= right) return;
  for (int row = std::max(y, 0); row < std::min(y + picture.height, height()); ++row) {
    std::copy_n(picture.row(row - y) + 3 * static_cast<size_t>(left - x),
                3 * static_cast<size_t>(right - left),
                pixels_.rows().row(row) + 3 * static_cast<size_t>(left));
  }
}

}  // namespace facegate::cli
