#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "trainer/ring/ring_measure.h"

namespace facegate {

// One cloud of embeddings. Points and labels are the caller's and outlive the drawing.
struct RingPanel {
  std::string title;    // above the cloud; ASCII and the degree sign, as all texts here
  std::string figures;  // a line below it
  std::span<const RingPoint> embeddings;
  std::span<const uint8_t> labels;    // one for each embedding, 0..9
  std::vector<RingPoint> directions;  // of the classes, unit length; at most ten
};

struct RingFigure {
  std::string title;
  std::string subtitle;
  std::vector<RingPanel> panels;  // from left to right, 1 to 4
};

// The figure of the papers on margins in softmax (Liu et al., 2016; Deng et al., 2019): embeddings
// in the plane, coloured by class, each panel scaled to its longest one; a line from the origin for
// each class's direction, and around the cloud a ring of all directions, the fuller the colour the
// more embeddings point there. 8-bit BGR, 800 pixels wide for each panel.
cv::Mat DrawRingFigure(const RingFigure& figure);

}  // namespace facegate
