#include "trainer/photos/dataset.h"

#include <utility>

#include "trainer/photos/photo_source.h"

namespace facegate {

std::optional<cv::Mat> CropIn(const cv::Mat& picture, AlignmentTemplate alignment) {
  const cv::Size size = CropSize(alignment);
  if (picture.size() == size) return picture;
  if (alignment != AlignmentTemplate::kSphereFace96x112 || picture.size() != TrainingCropSize()) {
    return std::nullopt;
  }
  const cv::Point corner((TrainingCropSize().width - size.width) / 2, 0);
  return picture(cv::Rect(corner, size)).clone();
}

std::unique_ptr<Dataset> MakeListDataset(ImageList list) {
  return MakeDecodedDataset(MakeListSource(std::move(list), ""));
}

}  // namespace facegate
