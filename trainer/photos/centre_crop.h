#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"

namespace facegate {

// The middle of a picture that shows more around a face than a crop does: `height` pixels high, as
// wide in proportion as `size`, and scaled to `size` where it differs. Where it cannot lie in the
// middle to the pixel it lies half a pixel to the left, or up. kInvalidArgument when the picture is
// smaller, or `height` is not above 0. The one rule for training and evaluation.
StatusOr<cv::Mat> CentreCrop(const cv::Mat& picture, int height, cv::Size size);

struct CutOptions {
  int height = 0;  // pixels of the picture
  cv::Size size{};
  // Probability that LoadVaried() cuts elsewhere: any place of the picture, each as likely.
  double elsewhere = 0.0;
};

// `dataset`'s pictures as CentreCrop() cuts them. An error names the picture.
std::unique_ptr<Dataset> MakeCentreCropDataset(std::unique_ptr<Dataset> dataset,
                                               const CutOptions& options);

}  // namespace facegate
