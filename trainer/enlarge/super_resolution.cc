#include "trainer/enlarge/super_resolution.h"

#include <fmt/format.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/base/mutex.h"
#include "face/torch/loaded_backbone.h"

namespace facegate {
namespace {

constexpr double kWhite = 255.0;

// 8-bit BGR to 1·3·H·W in RGB, of 0 to `largest`.
torch::Tensor TensorOf(const cv::Mat& picture, double largest) {
  const cv::Mat whole = picture.isContinuous() ? picture : picture.clone();
  const torch::Tensor bytes =
      torch::from_blob(whole.data, {1, whole.rows, whole.cols, 3}, torch::kUInt8);
  return bytes.permute({0, 3, 1, 2}).flip(1).to(torch::kFloat).div_(kWhite).mul_(largest);
}

cv::Mat PictureOf(const torch::Tensor& tensor, double largest) {
  const torch::Tensor bytes = tensor.mul(kWhite / largest)
                                  .round()
                                  .clamp(0.0, kWhite)
                                  .to(torch::kUInt8)
                                  .flip(1)
                                  .permute({0, 2, 3, 1})
                                  .contiguous();
  const cv::Mat view(static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(2)), CV_8UC3,
                     bytes.data_ptr<uint8_t>());
  return view.clone();
}

class RcanResolution final : public SuperResolution {
 public:
  RcanResolution(std::shared_ptr<Backbone> network, const SuperResolutionFile& file, int threads)
      : network_(std::move(network)),
        scale_(static_cast<int>(file.shape.scale)),
        largest_pixel_(file.largest_pixel),
        threads_(threads) {}

  int scale() const override { return scale_; }

  StatusOr<cv::Mat> Enlarge(const cv::Mat& picture) const override {
    if (picture.type() != CV_8UC3 || picture.empty()) return Internal("a picture without colours");
    const int64_t pixels = int64_t{scale_} * picture.cols * scale_ * picture.rows;
    if (pixels > kMostPixels) {
      return InvalidArgument(
          fmt::format("{} x {} pixels, {} times larger, are {} pixels; limit is {}", picture.cols,
                      picture.rows, scale_, pixels, kMostPixels));
    }
    const MutexLock lock(mutex_);
    return CatchToStatus("enlarging a picture", [&]() -> StatusOr<cv::Mat> {
      const torch::NoGradGuard no_grad;
      if (at::get_num_threads() != threads_) at::set_num_threads(threads_);
      const torch::Tensor large = network_->forward(TensorOf(picture, largest_pixel_));
      if (!torch::isfinite(large).all().item<bool>()) {
        return InvalidArgument("the super-resolution network gives numbers that are not finite");
      }
      return PictureOf(large, largest_pixel_);
    });
  }

 private:
  mutable Mutex mutex_;
  const std::shared_ptr<Backbone> network_;  // used under the mutex
  const int scale_;
  const double largest_pixel_;
  const int threads_;
};

}  // namespace

StatusOr<std::unique_ptr<SuperResolution>> SuperResolution::Create(SuperResolutionFile file,
                                                                   int threads) {
  FACEGATE_ASSIGN_OR_RETURN(std::shared_ptr<Backbone> network,
                            LoadBackbone(network::Rcan(file.shape), file.tensors));
  network->eval();
  const int most = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return std::unique_ptr<SuperResolution>(
      std::make_unique<RcanResolution>(std::move(network), file, threads > 0 ? threads : most));
}

StatusOr<std::unique_ptr<SuperResolution>> SuperResolution::Open(const std::string& path,
                                                                 int threads) {
  FACEGATE_ASSIGN_OR_RETURN(SuperResolutionFile file, ReadSuperResolutionFile(path));
  auto made = Create(std::move(file), threads);
  if (!made.ok()) return Annotate(made.status(), path);
  return made;
}

}  // namespace facegate
