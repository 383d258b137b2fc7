#include "face/detect/tiles.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace facegate {
namespace {

// A box that ends within this of an edge may go on behind it, pixels.
constexpr float kMargin = 2.0f;

// The starts of pieces of `side` that cover `length`, evenly spread.
std::vector<int> Starts(int length, int side, int overlap) {
  if (length <= side) return {0};
  const int step = side - overlap;
  const int count = 1 + (length - side + step - 1) / step;
  std::vector<int> starts;
  starts.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    starts.push_back(
        static_cast<int>(static_cast<int64_t>(length - side) * i / std::max(count - 1, 1)));
  }
  return starts;
}

}  // namespace

std::vector<cv::Rect> TilesOf(cv::Size picture, int side, int overlap) {
  const cv::Size size(std::min(side, picture.width), std::min(side, picture.height));
  std::vector<cv::Rect> tiles;
  for (const int y : Starts(picture.height, side, overlap)) {
    for (const int x : Starts(picture.width, side, overlap))
      tiles.emplace_back(cv::Point(x, y), size);
  }
  return tiles;
}

bool IsCutByTile(const cv::Rect2f& box, const cv::Rect& tile, cv::Size picture) {
  const cv::Rect2f edges(tile);
  return (tile.x > 0 && box.x < edges.x + kMargin) || (tile.y > 0 && box.y < edges.y + kMargin) ||
         (tile.x + tile.width < picture.width &&
          box.x + box.width > edges.x + edges.width - kMargin) ||
         (tile.y + tile.height < picture.height &&
          box.y + box.height > edges.y + edges.height - kMargin);
}

}  // namespace facegate
