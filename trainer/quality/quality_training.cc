#include "trainer/quality/quality_training.h"

#include <ATen/core/Reduction.h>
#include <fmt/format.h>
#include <torch/nn/functional/loss.h>
#include <torch/utils.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <opencv2/core.hpp>
#include <utility>

#include "face/detect/quality_net.h"
#include "face/model/network_file.h"
#include "trainer/data/random.h"
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/grey_network_module.h"
#include "trainer/loop/initial_weights.h"
#include "trainer/loop/lr_schedule.h"
#include "trainer/loop/optimizer.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr uint64_t kOrder = 93;
constexpr double kVisibleWeight = 0.05;  // of the cross entropies, against the error of the score
constexpr double kSquaredBelow = 0.1;    // errors of the score
constexpr double kLargestNorm = 5.0;
constexpr int64_t kWarmupEpochs = 1;
// The last layer begins with no opinion.
constexpr double kOutputShare = 0.1;
constexpr auto kCropSide = int64_t{kQualityCropSide};

constexpr char kEpochs[] = "epochs_done";
constexpr char kUpdates[] = "updates";

struct Batch {
  Tensor crops;    // [count, 1, side, side]
  Tensor scores;   // [count]
  Tensor visible;  // [count, 2]
  Tensor known;    // [count, 2]: 1 where `visible` can be said
};

int64_t BatchesOf(const QualityTrainingOptions& options, size_t views) {
  return std::max<int64_t>(1, static_cast<int64_t>(views) / options.batch);
}

class TorchQualityTraining final : public QualityTraining {
 public:
  TorchQualityTraining(const QualityTrainingOptions& options, const QualitySamples& samples,
                       std::vector<size_t> which, LrSchedule schedule)
      : options_(options),
        samples_(samples),
        which_(std::move(which)),
        schedule_(std::move(schedule)) {}

  // Sets the weights to what learning begins with.
  Status Begin();

  int64_t batches_per_epoch() const override { return BatchesOf(options_, which_.size()); }
  int64_t epochs_done() const override { return epochs_done_; }
  StatusOr<double> RunEpoch(const std::function<void()>& on_batch) override;
  StatusOr<QualityWeights> Weights() override { return RoundedAsInFile(module_->Folded()); }
  Status Save(const std::string& path) override;
  Status Resume(const std::string& path) override;

 private:
  Batch MakeBatch(const std::vector<size_t>& order, int64_t number, RandomStream& random) const;
  StatusOr<double> Learn(const Batch& batch);
  std::vector<NamedTensor> State();
  // What a checkpoint must agree with.
  CheckpointFacts Facts() const;

  const QualityTrainingOptions options_;
  const QualitySamples& samples_;
  const std::vector<size_t> which_;
  const LrSchedule schedule_;
  const std::shared_ptr<GreyNetworkModule> module_ =
      std::make_shared<GreyNetworkModule>(QualityLayout());
  std::unique_ptr<Optimizer> optimizer_;
  int64_t epochs_done_ = 0;
};

Status TorchQualityTraining::Begin() {
  SetInitialWeights(*module_, options_.seed);
  std::vector<TrainedParameter> parameters;
  for (const auto& item : module_->named_parameters()) {
    if (item.key() == "output.weight") {
      const torch::NoGradGuard no_grad;
      Tensor(item.value()).mul_(kOutputShare);
    }
    parameters.push_back({.name = item.key(),
                          .value = item.value(),
                          .weight_decay = IsDecayed(item.value()) ? options_.weight_decay : 0.0});
  }
  FACEGATE_ASSIGN_OR_RETURN(
      optimizer_, Optimizer::Create({.kind = "adamw", .base_rate = options_.learning_rate},
                                    std::move(parameters)));
  return OkStatus();
}

Batch TorchQualityTraining::MakeBatch(const std::vector<size_t>& order, int64_t number,
                                      RandomStream& random) const {
  const auto begin = static_cast<size_t>(number * options_.batch);
  const size_t count = std::min(static_cast<size_t>(options_.batch), order.size() - begin);
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
  module_->train();
  optimizer_->ZeroGrad();
  const Tensor outputs = module_->forward(batch.crops);
  const Tensor score_loss =
      torch::smooth_l1_loss(outputs.select(1, 0), batch.scores, at::Reduction::Mean, kSquaredBelow);
  const Tensor entropies = torch::binary_cross_entropy_with_logits(
      outputs.slice(1, 1, 3), batch.visible, {}, {}, at::Reduction::None);
  const Tensor visible_loss = (entropies * batch.known).sum() / batch.known.sum().clamp_min(1);
  const Tensor loss = score_loss + kVisibleWeight * visible_loss;
  loss.backward();
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    return Internal("the loss is no longer a number; a smaller learning rate may help");
  }
  optimizer_->ClipGradients(kLargestNorm);
  optimizer_->Step(schedule_.At(optimizer_->steps()));
  return value;
}

StatusOr<double> TorchQualityTraining::RunEpoch(const std::function<void()>& on_batch) {
  RandomStream random(options_.seed, kOrder, epochs_done_);
  std::vector<size_t> order = which_;
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  const int64_t batches = batches_per_epoch();
  double mean = 0;
  for (int64_t number = 0; number < batches; ++number) {
    FACEGATE_ASSIGN_OR_RETURN(const double loss, Learn(MakeBatch(order, number, random)));
    mean += loss / static_cast<double>(batches);
    on_batch();
  }
  ++epochs_done_;
  return mean;
}

std::vector<NamedTensor> TorchQualityTraining::State() {
  std::vector<NamedTensor> state;
  for (const auto& item : module_->named_parameters()) {
    state.push_back({.name = item.key(), .value = item.value()});
  }
  for (const auto& item : module_->named_buffers()) {
    state.push_back({.name = item.key(), .value = item.value()});
  }
  for (const Optimizer::State& one : optimizer_->state()) {
    state.push_back({.name = one.name, .value = one.value});
  }
  return state;
}

CheckpointFacts TorchQualityTraining::Facts() const {
  return {{"seed", std::to_string(options_.seed)},
          {"epochs", std::to_string(options_.epochs)},
          {"batch", std::to_string(options_.batch)},
          {"learning_rate", fmt::format("{}", options_.learning_rate)},
          {"weight_decay", fmt::format("{}", options_.weight_decay)},
          {"views", std::to_string(which_.size())}};
}

Status TorchQualityTraining::Save(const std::string& path) {
  CheckpointFacts facts = Facts();
  facts[kEpochs] = std::to_string(epochs_done_);
  facts[kUpdates] = std::to_string(optimizer_->steps());
  return WriteCheckpoint(path, State(), facts);
}

Status TorchQualityTraining::Resume(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const CheckpointFacts facts, ReadCheckpoint(path, State()));
  for (const auto& [name, expected] : Facts()) {
    const auto found = facts.find(name);
    if (found == facts.end() || found->second != expected) {
      return FailedPrecondition(
          fmt::format("{} is of a training with another {} ({}, now {})", path, name,
                      found == facts.end() ? "none" : found->second, expected));
    }
  }
  const auto number = [&](const char* name) -> StatusOr<int64_t> {
    const auto found = facts.find(name);
    int64_t value = -1;
    if (found != facts.end()) {
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
    }
    if (value < 0) return InvalidArgument(fmt::format("{} does not say its {}", path, name));
    return value;
  };
  FACEGATE_ASSIGN_OR_RETURN(epochs_done_, number(kEpochs));
  FACEGATE_ASSIGN_OR_RETURN(const int64_t updates, number(kUpdates));
  optimizer_->set_steps(updates);
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<QualityTraining>> QualityTraining::Create(
    const QualityTrainingOptions& options, const QualitySamples& samples,
    std::vector<size_t> which) {
  if (options.epochs < 1 || options.batch < 2 || options.threads < 1 || which.size() < 2) {
    return InvalidArgument(
        fmt::format("there are {} epochs, {} views in a batch, {} threads and {} views, at least "
                    "1, 2, 1 and 2 are needed",
                    options.epochs, options.batch, options.threads, which.size()));
  }
  torch::set_num_threads(options.threads);
  const int64_t batches = BatchesOf(options, which.size());
  FACEGATE_ASSIGN_OR_RETURN(
      LrSchedule schedule,
      LrSchedule::Create({.kind = "cosine",
                          .base = options.learning_rate,
                          .total = batches * options.epochs,
                          .warmup = batches * std::min(kWarmupEpochs, options.epochs - 1)}));
  auto training = std::make_unique<TorchQualityTraining>(options, samples, std::move(which),
                                                         std::move(schedule));
  FACEGATE_RETURN_IF_ERROR(training->Begin());
  return training;
}

}  // namespace facegate
