#pragma once

#include <opencv2/core/types.hpp>
#include <vector>

namespace facegate {

// Tiles of at most `side` by `side` pixels that cover a picture; neighbours overlap by `overlap` or
// more, which is below `side`. One tile where the picture is no larger.
std::vector<cv::Rect> TilesOf(cv::Size picture, int side, int overlap);

// True when the box of a face that was found in `tile` (all in pixels of the picture) stops at an
// edge of the tile inside the picture: such a face is cut, and is to be found whole in a neighbour.
bool IsCutByTile(const cv::Rect2f& box, const cv::Rect& tile, cv::Size picture);

}  // namespace facegate
