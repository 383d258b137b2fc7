#include "trainer/photos/centre_crop.h"

#include <fmt/format.h>

#include <cmath>
#include <opencv2/imgproc.hpp>
#include <utility>

namespace facegate {
namespace {

class CentreCropDataset : public Dataset {
 public:
  CentreCropDataset(std::unique_ptr<Dataset> dataset, int height, cv::Size size)
      : dataset_(std::move(dataset)), height_(height), size_(size) {}

  size_t size() const override { return dataset_->size(); }
  size_t classes() const override { return dataset_->classes(); }
  uint32_t label(size_t i) const override { return dataset_->label(i); }
  std::string name(size_t i) const override { return dataset_->name(i); }
  std::vector<std::string> remarks() const override { return dataset_->remarks(); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat picture, dataset_->Load(i));
    StatusOr<cv::Mat> middle = CentreCrop(picture, height_, size_);
    if (!middle.ok()) return Annotate(middle.status(), name(i));
    return middle;
  }

 private:
  const std::unique_ptr<Dataset> dataset_;
  const int height_;
  const cv::Size size_;
};

}  // namespace

StatusOr<cv::Mat> CentreCrop(const cv::Mat& picture, int height, cv::Size size) {
  if (height < 1) {
    return InvalidArgument(fmt::format("a centre crop of {} pixels, expected 1 or more", height));
  }
  const auto width = static_cast<int>(
      std::lround(static_cast<double>(height) * size.width / static_cast<double>(size.height)));
  if (width < 1 || picture.cols < width || picture.rows < height) {
    return InvalidArgument(fmt::format("the picture is {} x {}, its centre crop {} x {}",
                                       picture.cols, picture.rows, width, height));
  }
  const cv::Rect middle((picture.cols - width) / 2, (picture.rows - height) / 2, width, height);
  if (middle.size() == size) return picture(middle).clone();
  cv::Mat scaled;
  cv::resize(picture(middle), scaled, size, 0, 0,
             height > size.height ? cv::INTER_AREA : cv::INTER_CUBIC);
  return scaled;
}

std::unique_ptr<Dataset> MakeCentreCropDataset(std::unique_ptr<Dataset> dataset, int height,
                                               cv::Size size) {
  return std::make_unique<CentreCropDataset>(std::move(dataset), height, size);
}

}  // namespace facegate
