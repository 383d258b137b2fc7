#pragma once

#include <opencv2/core/mat.hpp>

namespace facegate {

// The light on a face.
struct FaceLight {
  double dark_share = 0.0;    // of the pixels: with a luminance of 25 or less
  double bright_share = 0.0;  // of the pixels: with a luminance of 247 or more
  double entropy = 0.0;       // bits, of the histogram of luminances
  // Tells how much the luminances of the left and the right half have in common: the overlap of
  // their histograms (of 32 steps), 0..1. Little where one half is covered.
  double uniformity = 1.0;
};
// `frame`: as CutAlignedFrame() makes it; what lies in an ellipse around eyes and mouth counts.
FaceLight MeasureLight(const cv::Mat& frame);

// The distance of the eyes, in pixels, at which a sharp picture would show as much detail as the
// 8-bit grey crop of ArcFace's size; at most that of the crop, about 35. The picture is taken as
// made of edges, all equally blurred: their width follows from what a known blur leaves of the
// energy of the gradients. Before that the crop is blurred a little, so that noise and the blocks
// of a JPEG count little.
double MeasureDetail(const cv::Mat& grey_crop);

// The deviation of the noise on an 8-bit grey crop of ArcFace's size, grey levels: what a filter
// leaves that flat, sloping and edged surfaces pass with nothing (Immerkaer 1996), the median, so
// that what is textured counts little.
double MeasureNoise(const cv::Mat& grey_crop);

// The least side of a part in which blocks are looked for, pixels.
inline constexpr int kLeastForBlocks = 40;
// Measures how much larger the steps across the borders of 8-pixel blocks are than others, in an
// 8-bit grey part of a picture: about 1 without blocks, 2 and more after strong JPEG compression.
// The grid may lie anywhere. Of a picture that was scaled after compression, or a smaller part,
// this tells nothing: 1.
double MeasureBlocks(const cv::Mat& grey);

// The share of the pixels of an 8-bit grey part of a picture that tell something of their own,
// along its rows or along its columns, the lower one: 1, but 1/n of a picture that was enlarged n
// times by repeating pixels, however sharp that looks. Of a part without differences: 1.
double MeasureOwnPixels(const cv::Mat& grey);

}  // namespace facegate
