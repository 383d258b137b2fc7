#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

namespace facegate {

// `picture` in another size by bicubic interpolation (Keys 1981, a = -0.5), whose kernel is as many
// times wider as the picture becomes smaller, so that nothing finer than the new pixels is left.
// The numbers are those of Pillow's resize(BICUBIC): rows first, then columns, each rounded to 8
// bits. 8 bits a channel; no side of picture or size is 0.
cv::Mat ResizedBicubic(const cv::Mat& picture, const cv::Size& size);

}  // namespace facegate
