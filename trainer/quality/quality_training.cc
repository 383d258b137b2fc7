#include "trainer/quality/quality_training.h"

#include <ATen/core/Reduction.h>
#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <span>
#include <utility>

#include "face/base/random.h"
#include "face/detect/quality_net.h"
#include "face/network/grey_networks.h"
#include "face/weights/network_file.h"
#include "trainer/learn/grey_training.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr uint64_t kOrder = 93;
constexpr double kVisibleWeight = 0.05;  // of the cross entropies, against the error of the score
constexpr double kSquaredBelow = 0.1;    // errors of the score
constexpr auto kCropSide = int64_t{kQualityCropSide};

struct Batch {
  Tensor crops;    // [count, 1, side, side]
  Tensor scores;   // [count]
  Tensor visible;  // [count, 2]
  Tensor known;    // [count, 2]: 1 where `visible` can be said
};

class TorchQualityTraining final : public QualityTraining {
 public:
  TorchQualityTraining(std::unique_ptr<GreyTraining> grey, const QualitySamples& samples,
                       std::vector<size_t> which)
      : grey_(std::move(grey)), samples_(samples), which_(std::move(which)) {}

  int64_t batches_per_epoch() const override { return grey_->batches_per_epoch(); }
  int64_t epochs_done() const override { return grey_->epochs_done(); }
  StatusOr<double> RunEpoch(const std::function<void()>& on_batch) override;
  StatusOr<QualityWeights> Weights() override { return RoundedAsInFile(grey_->Weights()); }
  Status Save(const std::string& path) override { return grey_->Save(path); }
  Status Resume(const std::string& path) override { return grey_->Resume(path); }

 private:
  Batch MakeBatch(const std::vector<size_t>& order, int64_t number, RandomStream& random) const;
  StatusOr<double> Learn(const Batch& batch);

  const std::unique_ptr<GreyTraining> grey_;
  const QualitySamples& samples_;
  const std::vector<size_t> which_;
};

Batch TorchQualityTraining::MakeBatch(const std::vector<size_t>& order, int64_t number,
                                      RandomStream& random) const {
  const auto begin = static_cast<size_t>(number * grey_->options().batch);
  const size_t count = std::min(static_cast<size_t>(grey_->options().batch), order.size() - begin);
  const auto rows = static_cast<int64_t>(count);
  Batch batch{.crops = torch::empty({rows, 1, kCropSide, kCropSide}),
              .scores = torch::empty({rows}),
              .visible = torch::zeros({rows, 2}),
              .known = torch::zeros({rows, 2})};
  auto* crop_at = batch.crops.data_ptr<float>();
  auto* const score_at = batch.scores.data_ptr<float>();
  auto* visible_at = batch.visible.data_ptr<float>();
  auto* known_at = batch.known.data_ptr<float>();
  for (size_t i = 0; i < count; ++i) {
    const QualityTarget& target = samples_.targets[order[begin + i]];
    cv::Mat view = samples_.View(order[begin + i]);
    if (random.Chance(0.5)) {
      cv::Mat mirrored;
      cv::flip(view, mirrored, 1);
      view = mirrored;
    }
    const cv::Mat input = QualityInput(view);
    crop_at = std::copy_n(input.ptr<float>(), kCropSide * kCropSide, crop_at);
    score_at[i] = target.score;
    for (const float visible : {target.eyes_visible, target.mouth_visible}) {
      *known_at++ = std::isnan(visible) ? 0.0F : 1.0F;
      *visible_at++ = std::isnan(visible) ? 0.0F : visible;
    }
  }
  return batch;
}

// torch::nn::functional takes no notice of the option beta in LibTorch 1.13; the operator does.
StatusOr<double> TorchQualityTraining::Learn(const Batch& batch) {
  const Tensor outputs = grey_->Forward(batch.crops);
  const Tensor score_loss =
      torch::smooth_l1_loss(outputs.select(1, 0), batch.scores, at::Reduction::Mean, kSquaredBelow);
  const Tensor entropies = torch::binary_cross_entropy_with_logits(
      outputs.slice(1, 1, 3), batch.visible, {}, {}, at::Reduction::None);
  const Tensor visible_loss = (entropies * batch.known).sum() / batch.known.sum().clamp_min(1);
  const Tensor loss = score_loss + kVisibleWeight * visible_loss;
  FACEGATE_RETURN_IF_ERROR(grey_->Learn(loss));
  return loss.item<double>();
}

StatusOr<double> TorchQualityTraining::RunEpoch(const std::function<void()>& on_batch) {
  RandomStream random(grey_->options().seed, kOrder, epochs_done());
  std::vector<size_t> order = which_;
  random.Shuffle(std::span(order));
  const int64_t batches = batches_per_epoch();
  double mean = 0;
  for (int64_t number = 0; number < batches; ++number) {
    FACEGATE_ASSIGN_OR_RETURN(const double loss, Learn(MakeBatch(order, number, random)));
    mean += loss / static_cast<double>(batches);
    on_batch();
  }
  grey_->FinishEpoch();
  return mean;
}

}  // namespace

StatusOr<std::unique_ptr<QualityTraining>> QualityTraining::Create(
    const NetworkTrainingOptions& options, const QualitySamples& samples,
    std::vector<size_t> which) {
  FACEGATE_ASSIGN_OR_RETURN(
      std::unique_ptr<GreyTraining> grey,
      GreyTraining::Create(
          options, DescribeQualityNetwork(), which.size(),
          {{kSamplesFact, DigestOfSamples(SerializeQualitySamples(samples, ""), {which})}}));
  return std::make_unique<TorchQualityTraining>(std::move(grey), samples, std::move(which));
}

}  // namespace facegate
