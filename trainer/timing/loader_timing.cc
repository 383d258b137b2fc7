#include "trainer/timing/loader_timing.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "face/base/random.h"
#include "face/image/decode.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/loader.h"

namespace facegate {
namespace {

constexpr int kSide = 112;
constexpr size_t kPictures = 256;
constexpr int kQuality = 90;  // of JPEG

// Spots of colour, blurred and with a little noise: as many bytes as a crop of a photo has.
cv::Mat DrawPicture(uint64_t seed) {
  RandomStream random(seed, 0);
  const auto below = [&](int limit) {
    return static_cast<int>(random.Below(static_cast<uint64_t>(limit)));
  };
  cv::Mat picture(kSide, kSide, CV_8UC3, cv::Scalar::all(below(256)));
  for (int i = 0; i < 60; ++i) {
    cv::circle(picture, {below(kSide), below(kSide)}, 2 + below(24),
               cv::Scalar(below(256), below(256), below(256)), cv::FILLED);
  }
  cv::GaussianBlur(picture, picture, {5, 5}, 0.0);
  for (auto at = picture.begin<cv::Vec3b>(); at != picture.end<cv::Vec3b>(); ++at) {
    for (int c = 0; c < 3; ++c) (*at)[c] = cv::saturate_cast<uchar>((*at)[c] + below(9) - 4);
  }
  return picture;
}

class DrawnDataset final : public Dataset {
 public:
  DrawnDataset() {
    files_.resize(kPictures);
    for (size_t i = 0; i < kPictures; ++i) {
      files_[i] = EncodeJpeg(ViewOf(DrawPicture(i)), kQuality);
    }
  }

  size_t size() const override { return files_.size(); }
  size_t classes() const override { return files_.size(); }
  uint32_t label(size_t i) const override { return static_cast<uint32_t>(i); }
  std::string name(size_t i) const override { return fmt::format("drawn picture {}", i); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    FACEGATE_RETURN_IF_ERROR(files_[i].status());
    FACEGATE_ASSIGN_OR_RETURN(const Image picture, DecodeImage(*files_[i], {}));
    return picture.bgr;
  }

 private:
  std::vector<StatusOr<std::string>> files_;
};

// Photos scaled to the size of training.
class ScaledDataset final : public Dataset {
 public:
  explicit ScaledDataset(const Dataset& photos) : photos_(photos) {}

  size_t size() const override { return photos_.size(); }
  size_t classes() const override { return photos_.classes(); }
  uint32_t label(size_t i) const override { return photos_.label(i); }
  std::string name(size_t i) const override { return photos_.name(i); }
  StatusOr<cv::Mat> Load(size_t i) const override {
    FACEGATE_ASSIGN_OR_RETURN(cv::Mat picture, photos_.Load(i));
    if (picture.size() == TrainingCropSize()) return picture;
    cv::Mat scaled;
    cv::resize(picture, scaled, TrainingCropSize(), 0.0, 0.0, cv::INTER_AREA);
    return scaled;
  }

 private:
  const Dataset& photos_;
};

}  // namespace

StatusOr<LoaderTime> MeasureLoader(const LoaderTimingOptions& options, double seconds) {
  using Clock = std::chrono::steady_clock;
  std::unique_ptr<const Dataset> dataset;
  if (options.photos != nullptr) {
    dataset = std::make_unique<ScaledDataset>(*options.photos);
  } else {
    dataset = std::make_unique<DrawnDataset>();
  }
  std::atomic<size_t> bad = 0;
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<Loader> loader,
                            Loader::Start(*dataset,
                                          {.sampler = {.batch = options.batch},
                                           .augment = options.augment,
                                           .threads = options.threads,
                                           .prefetch = 1},
                                          [&](const Status&) { ++bad; }));
  // Pictures that lay ready when the clock started are not counted.
  for (int i = 0; i < 2; ++i) FACEGATE_RETURN_IF_ERROR(loader->Next().status());
  const Clock::time_point start = Clock::now();
  double passed = 0.0;
  size_t pictures = 0;
  while (passed < seconds || pictures == 0) {
    FACEGATE_RETURN_IF_ERROR(loader->Next().status());
    pictures += options.batch;
    passed = std::chrono::duration<double>(Clock::now() - start).count();
  }
  return LoaderTime{.pictures = static_cast<double>(pictures) / passed, .bad = bad};
}

}  // namespace facegate
