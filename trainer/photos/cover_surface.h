#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <vector>

#include "face/base/random.h"

namespace facegate {

// A flat thing that lies over a part of a photo.
struct CoverSurface {
  std::vector<cv::Point2d> outline;  // pixels of the photo; may reach beyond it
  cv::Vec3d colour;                  // blue, green, red; 0..255
  double opacity = 1.0;
  double softness = 0.0;  // of the edge: deviation in pixels
  bool smooth = false;    // no texture, only uneven light
  double unit = 1.0;      // pixels; textures are between a twentieth of it and half of it
};

// Draws it into `photo` (8-bit BGR). Light and texture (none, stripes, spots, grain) are random.
void LayCover(const CoverSurface& cover, RandomStream& random, cv::Mat& photo);

}  // namespace facegate
