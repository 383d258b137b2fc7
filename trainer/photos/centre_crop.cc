#include "trainer/photos/centre_crop.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <opencv2/imgproc.hpp>
#include <utility>

namespace facegate {
namespace {

// Says where the part begins; it is told how far that may be from the upper left corner.
using ChooseCorner = std::function<cv::Point(const cv::Size& room)>;

cv::Point Middle(const cv::Size& room) { return {room.width / 2, room.height / 2}; }

StatusOr<cv::Mat> CutPart(const cv::Mat& picture, int height, cv::Size size,
                          const ChooseCorner& corner) {
  if (height < 1) {
    return InvalidArgument(fmt::format("a centre crop of {} pixels, expected 1 or more", height));
  }
  const auto width = static_cast<int>(
      std::lround(static_cast<double>(height) * size.width / static_cast<double>(size.height)));
  if (width < 1 || picture.cols < width || picture.rows < height) {
    return InvalidArgument(fmt::format("the picture is {} x {}, its centre crop {} x {}",
                                       picture.cols, picture.rows, width, height));
  }
  const cv::Rect part(corner({picture.cols - width, picture.rows - height}),
                      cv::Size(width, height));
  if (part.size() == size) return picture(part).clone();
  cv::Mat scaled;
  cv::resize(picture(part), scaled, size, 0, 0,
             height > size.height ? cv::INTER_AREA : cv::INTER_CUBIC);
  return scaled;
}

class CentreCropDataset : public Dataset {
 public:
  CentreCropDataset(std::unique_ptr<Dataset> dataset, const CutOptions& options)
      : dataset_(std::move(dataset)), options_(options) {}

  size_t size() const override { return dataset_->size(); }
  size_t classes() const override { return dataset_->classes(); }
  uint32_t label(size_t i) const override { return dataset_->label(i); }
  std::string name(size_t i) const override { return dataset_->name(i); }
  std::vector<std::string> remarks() const override { return dataset_->remarks(); }
  StatusOr<cv::Mat> Load(size_t i) const override { return Cut(i, Middle); }
  StatusOr<cv::Mat> LoadVaried(size_t i, RandomStream& random) const override {
    if (options_.elsewhere == 0.0 || !random.Chance(options_.elsewhere)) return Load(i);
    return Cut(i, [&random](const cv::Size& room) {
      const auto x = static_cast<int>(random.Below(static_cast<uint64_t>(room.width) + 1));
      const auto y = static_cast<int>(random.Below(static_cast<uint64_t>(room.height) + 1));
      return cv::Point(x, y);
    });
  }

 private:
  StatusOr<cv::Mat> Cut(size_t i, const ChooseCorner& corner) const {
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat picture, dataset_->Load(i));
    StatusOr<cv::Mat> part = CutPart(picture, options_.height, options_.size, corner);
    if (!part.ok()) return Annotate(part.status(), name(i));
    return part;
  }

  const std::unique_ptr<Dataset> dataset_;
  const CutOptions options_;
};

}  // namespace

StatusOr<cv::Mat> CentreCrop(const cv::Mat& picture, int height, cv::Size size) {
  return CutPart(picture, height, size, Middle);
}

std::unique_ptr<Dataset> MakeCentreCropDataset(std::unique_ptr<Dataset> dataset,
                                               const CutOptions& options) {
  return std::make_unique<CentreCropDataset>(std::move(dataset), options);
}

}  // namespace facegate
