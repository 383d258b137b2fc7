#include "trainer/photos/loader.h"

#include <fmt/format.h>

#include <map>
#include <mutex>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/base/mutex.h"
#include "face/image/align.h"
#include "trainer/photos/degradation.h"

namespace facegate {
namespace {

constexpr uint64_t kAugment = 21;
constexpr uint64_t kBlend = 22;
constexpr uint64_t kAugmentOther = 23;
constexpr uint64_t kDegraded = 24;
constexpr uint64_t kFlaw = 25;
constexpr double kLeastShare = 0.3;  // of either picture of a blend
// Photos that are tried for one place of a batch.
constexpr size_t kAttempts = 16;

class ThreadedLoader final : public Loader {
 public:
  ThreadedLoader(const Dataset& dataset, const LoaderOptions& options, BadPhoto on_bad_photo)
      : dataset_(dataset),
        options_(options),
        on_bad_photo_(std::move(on_bad_photo)),
        sampler_(dataset, options.sampler),
        next_made_(options.first_step),
        next_given_(options.first_step) {
    for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Run(); });
  }

  ~ThreadedLoader() override {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    changed_.NotifyAll();
    for (std::thread& thread : threads_) thread.join();
  }

  StatusOr<std::unique_ptr<Batch>> Next() override {
    StatusOr<std::unique_ptr<Batch>> batch = Internal("no batch");
    {
      const MutexLock lock(mutex_);
      while (!ready_.contains(next_given_)) changed_.Wait(mutex_);
      auto node = ready_.extract(next_given_);
      batch = std::move(node.mapped());
      ++next_given_;
    }
    changed_.NotifyAll();
    return batch;
  }

  size_t steps_per_epoch() const override { return sampler_.steps_per_epoch(); }

 private:
  void Run() {
    while (const std::optional<size_t> step = TakeStep()) {
      StatusOr<std::unique_ptr<Batch>> batch = Internal("no batch");
      const Status made = CatchToStatus("making a batch", [&] {
        batch = Make(*step);
        return OkStatus();
      });
      if (!made.ok()) batch = made;
      {
        const MutexLock lock(mutex_);
        ready_.emplace(*step, std::move(batch));
      }
      changed_.NotifyAll();
    }
  }

  std::optional<size_t> TakeStep() {
    const MutexLock lock(mutex_);
    while (!closed_ && next_made_ >= next_given_ + options_.prefetch) changed_.Wait(mutex_);
    if (closed_) return std::nullopt;
    return next_made_++;
  }

  StatusOr<std::unique_ptr<Batch>> Make(size_t step) {
    auto batch = std::make_unique<Batch>();
    batch->step = step;
    batch->photos = OwnPart(sampler_.BatchAt(step));
    const size_t floats = options_.preprocessing.input_floats();
    batch->pixels.resize(batch->photos.size() * floats);
    batch->degraded.resize(batch->photos.size());
    std::vector<cv::Mat> pictures(batch->photos.size());
    for (size_t i = 0; i < batch->photos.size(); ++i) {
      const size_t place = options_.first_place + i;
      const auto out = std::span(batch->pixels).subspan(i * floats, floats);
      FACEGATE_RETURN_IF_ERROR(FillPlace(step, place, batch->photos[i], pictures[i], out));
      const uint32_t label = dataset_.label(batch->photos[i]);
      const bool nobody =
          label == Dataset::kUnlabelled || BlendAt(step, place, batch->photos[i]).has_value();
      batch->labels.push_back(nobody ? Batch::kUnlabelled : int64_t{label});
    }
    FACEGATE_RETURN_IF_ERROR(DegradeSome(pictures, *batch));
    return batch;
  }

  std::vector<size_t> OwnPart(std::vector<size_t> photos) const {
    if (options_.places > 0) photos.resize(options_.first_place + options_.places);
    photos.erase(photos.begin(), photos.begin() + static_cast<int64_t>(options_.first_place));
    return photos;
  }

  Status DegradeSome(std::span<const cv::Mat> pictures, Batch& batch) const {
    if (options_.degrade == 0.0) return OkStatus();
    const size_t floats = options_.preprocessing.input_floats();
    const auto points = TemplatePoints(options_.preprocessing.alignment);
    for (size_t i = 0; i < pictures.size(); ++i) {
      RandomStream random(options_.sampler.seed, kDegraded, batch.step, options_.first_place + i);
      if (!random.Chance(options_.degrade)) continue;
      RandomStream kind(options_.sampler.seed, kFlaw, batch.step);
      FACEGATE_ASSIGN_OR_RETURN(const cv::Mat degraded,
                                Degrade(pictures[i], {points.begin(), points.end()},
                                        DrawDegradation(kind, random), random));
      if (batch.undegraded.empty()) batch.undegraded = batch.pixels;
      batch.degraded[i] = true;
      FACEGATE_RETURN_IF_ERROR(
          WriteNetworkInput({.bgr = degraded}, options_.preprocessing, false,
                            std::span(batch.pixels).subspan(i * floats, floats)));
    }
    return OkStatus();
  }

  // Puts the photo, or one instead of it, into its place.
  Status FillPlace(size_t step, size_t place, size_t& photo, cv::Mat& picture,
                   std::span<float> out) {
    Status last;
    for (size_t attempt = 0; attempt < kAttempts; ++attempt) {
      if (attempt > 0) photo = sampler_.ReplacementAt(step, place, attempt);
      last = FillPhoto(step, place, photo, picture, out);
      if (last.ok()) return last;
      ReportOnce(photo, last);
    }
    return Annotate(last, fmt::format("{} photos in a row cannot be used", kAttempts));
  }

  Status FillPhoto(size_t step, size_t place, size_t photo, cv::Mat& picture,
                   std::span<float> out) {
    FACEGATE_ASSIGN_OR_RETURN(picture, Changed(step, place, photo, kAugment));
    if (const std::optional<Blend> blend = BlendAt(step, place, photo)) {
      const auto other = Changed(step, place, blend->other, kAugmentOther);
      if (other.ok()) {
        cv::addWeighted(picture, blend->share, *other, 1.0 - blend->share, 0.0, picture);
      } else {
        ReportOnce(blend->other, other.status());
      }
    }
    return WriteNetworkInput({.bgr = picture}, options_.preprocessing, false, out);
  }

  // The photo as this place of this batch changes it, so that a photo that comes twice, in an epoch
  // or in a batch, is another picture each time.
  StatusOr<cv::Mat> Changed(size_t step, size_t place, size_t photo, uint64_t purpose) const {
    RandomStream random(options_.sampler.seed, purpose, step, place);
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat picture, dataset_.LoadVaried(photo, random));
    std::optional<cv::Mat> crop = CropIn(picture, options_.preprocessing.alignment);
    if (!crop.has_value()) {
      const cv::Size size = CropSize(options_.preprocessing.alignment);
      return InvalidArgument(
          fmt::format("{} is {} x {}, expected an aligned crop of {} x {}, as "
                      "facegate-train align makes them",
                      dataset_.name(photo), picture.cols, picture.rows, size.width, size.height));
    }
    Augment(options_.augment, random, *crop);
    return *std::move(crop);
  }

  struct Blend {
    size_t other = 0;    // a photo
    double share = 1.0;  // of the first
  };

  // Chooses what the photo of a place is blended with; nothing where it stays alone.
  std::optional<Blend> BlendAt(size_t step, size_t place, size_t photo) const {
    if (options_.blend == 0.0 || dataset_.size() < 2) return std::nullopt;
    RandomStream random(options_.sampler.seed, kBlend, step, place);
    if (!random.Chance(options_.blend)) return std::nullopt;
    const size_t drawn = random.Below(dataset_.size() - 1);
    const size_t other = drawn < photo ? drawn : drawn + 1;  // not itself
    return Blend{.other = other, .share = random.Uniform(kLeastShare, 1.0 - kLeastShare)};
  }

  void ReportOnce(size_t photo, const Status& status) {
    const std::lock_guard<std::mutex> lock(report_mutex_);
    if (reported_.insert(photo).second && on_bad_photo_) on_bad_photo_(status);
  }

  const Dataset& dataset_;
  const LoaderOptions options_;
  const BadPhoto on_bad_photo_;
  const Sampler sampler_;

  std::mutex report_mutex_;  // held over the callback: one at a time is its contract
  std::set<size_t> reported_;

  Mutex mutex_;
  CondVar changed_;
  size_t next_made_ FACEGATE_GUARDED_BY(mutex_);
  size_t next_given_ FACEGATE_GUARDED_BY(mutex_);
  std::map<size_t, StatusOr<std::unique_ptr<Batch>>> ready_ FACEGATE_GUARDED_BY(mutex_);
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;

  std::vector<std::thread> threads_;
};

}  // namespace

StatusOr<std::unique_ptr<Loader>> Loader::Start(const Dataset& dataset,
                                                const LoaderOptions& options,
                                                BadPhoto on_bad_photo) {
  FACEGATE_RETURN_IF_ERROR(CheckAugmentation(options.augment));
  if (dataset.size() == 0) return InvalidArgument("there are no photos to train with");
  if (options.sampler.batch == 0) return InvalidArgument("a batch must have at least 1 photo");
  if (options.first_place >= options.sampler.batch ||
      options.places > options.sampler.batch - options.first_place) {
    return InvalidArgument(fmt::format("a part of {} places from {} on is not in a batch of {}",
                                       options.places, options.first_place, options.sampler.batch));
  }
  if (!(options.blend >= 0.0 && options.blend <= 1.0)) {
    return InvalidArgument(fmt::format("blend is {}, must be 0 to 1", options.blend));
  }
  if (!(options.degrade >= 0.0 && options.degrade <= 1.0)) {
    return InvalidArgument(fmt::format("degrade is {}, must be 0 to 1", options.degrade));
  }
  if (options.threads < 1 || options.prefetch < 1) {
    return InvalidArgument("a loader needs at least 1 thread and 1 batch ahead");
  }
  return std::unique_ptr<Loader>(
      std::make_unique<ThreadedLoader>(dataset, options, std::move(on_bad_photo)));
}

}  // namespace facegate
