#pragma once

#include <opencv2/core/mat.hpp>

namespace facegate {

// The light on a face.
struct FaceLight {
  double dark_share = 0.0;    // of the pixels: with a luminance of 25 or less
  double bright_share = 0.0;  // of the pixels: with a luminance of 247 or more
  double entropy = 0.0;       // bits, of the histogram of luminances
};
// `frame`: as CutAlignedFrame() makes it; what lies in an ellipse around eyes and mouth counts.
FaceLight MeasureLight(const cv::Mat& frame);

// The distance of the eyes, in pixels, at which a sharp picture would show as much detail as the
// 8-bit grey crop of ArcFace's size; at most that of the crop, about 35. The picture is taken as
// made of edges, all equally blurred: their width follows from what a known blur leaves of the
// energy of the gradients. Before that the crop is blurred a little, so that noise and the blocks
// of a JPEG count little.
double MeasureDetail(const cv::Mat& grey_crop);

}  // namespace facegate
