#include "trainer/landmarks/landmark_training.h"

#include <fmt/format.h>
#include <torch/nn/functional/loss.h>
#include <torch/utils.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <future>
#include <utility>
#include <vector>

#include "face/detect/landmark_net.h"
#include "face/model/landmark_file.h"
#include "trainer/data/random.h"
#include "trainer/landmarks/point_loss.h"
#include "trainer/landmarks/view.h"
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/grey_network_module.h"
#include "trainer/loop/initial_weights.h"
#include "trainer/loop/lr_schedule.h"
#include "trainer/loop/optimizer.h"

namespace facegate {
namespace {

namespace nn = torch::nn::functional;

constexpr uint64_t kOrder = 73;
constexpr uint64_t kView = 74;
// For each face in an epoch: a coarse view, a fine one, a plain one, and one without a face.
constexpr size_t kViewsOfFace = 4;
constexpr double kMinedShare = 0.6;  // of the latter: boxes of the cascade
constexpr double kFaceWeight = 0.3;
constexpr double kLargestNorm = 5.0;
constexpr int64_t kWarmupEpochs = 1;
// The last layer begins near the average face and no opinion.
constexpr double kOutputShare = 0.1;

constexpr char kEpochs[] = "epochs_done";
constexpr char kUpdates[] = "updates";

constexpr int64_t kPoints = 10;
constexpr auto kCropSide = int64_t{kLandmarkCropSide};

enum class ViewKind { kCoarseFace, kFineFace, kPlainFace, kBadView, kNegative };
struct ViewOrder {
  ViewKind kind = ViewKind::kCoarseFace;
  size_t index = 0;  // of the sample
};

struct Batch {
  torch::Tensor crops;    // [count, 1, side, side]
  torch::Tensor targets;  // [count, 10]; zero without a face
  torch::Tensor faces;    // [count]: 1 or 0
};

int64_t BatchesOf(const LandmarkTrainingOptions& options, const SampleSplit& split) {
  return std::max<int64_t>(1,
                           static_cast<int64_t>(kViewsOfFace * split.faces.size()) / options.batch);
}

class TorchLandmarkTraining final : public LandmarkTraining {
 public:
  TorchLandmarkTraining(const LandmarkTrainingOptions& options, const LandmarkSamples& samples,
                        const SampleSplit& split, LrSchedule schedule,
                        std::array<float, 3> box_to_frame)
      : options_(options),
        samples_(samples),
        split_(split),
        schedule_(std::move(schedule)),
        box_to_frame_(box_to_frame) {}

  // Sets the weights to what learning begins with.
  Status Begin();

  int64_t batches_per_epoch() const override { return BatchesOf(options_, split_); }
  int64_t epochs_done() const override { return epochs_done_; }
  StatusOr<EpochReport> RunEpoch(const std::function<void()>& on_batch) override;
  StatusOr<LandmarkWeights> Weights() override;
  Status Save(const std::string& path) override;
  Status Resume(const std::string& path) override;

 private:
  // In the first half of the epochs faces are mirrored too, which teaches more shapes; then no
  // more: given landmarks are a detector's, and what it does left and right need not be symmetric.
  bool IsMirroring() const { return 2 * epochs_done_ < options_.epochs; }
  std::vector<ViewOrder> OrderOf(int64_t epoch) const;
  StatusOr<LandmarkView> MakeView(const ViewOrder& order, RandomStream& random) const;
  StatusOr<Batch> MakeBatch(const std::vector<ViewOrder>& order, int64_t number) const;
  StatusOr<EpochReport> Learn(const Batch& batch);
  std::vector<NamedTensor> State();
  // What a checkpoint must agree with.
  CheckpointFacts Facts() const;

  const LandmarkTrainingOptions options_;
  const LandmarkSamples& samples_;
  const SampleSplit& split_;
  const LrSchedule schedule_;
  const std::array<float, 3> box_to_frame_;
  const std::shared_ptr<GreyNetworkModule> module_ =
      std::make_shared<GreyNetworkModule>(LandmarkLayout());
  std::unique_ptr<Optimizer> optimizer_;
  int64_t epochs_done_ = 0;
};

Status TorchLandmarkTraining::Begin() {
  SetInitialWeights(*module_, options_.seed);
  std::vector<TrainedParameter> parameters;
  for (const auto& item : module_->named_parameters()) {
    if (item.key() == "output.weight") {
      const torch::NoGradGuard no_grad;
      torch::Tensor(item.value()).mul_(kOutputShare);
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

std::vector<ViewOrder> TorchLandmarkTraining::OrderOf(int64_t epoch) const {
  RandomStream random(options_.seed, kOrder, epoch);
  std::vector<ViewOrder> order;
  order.reserve(kViewsOfFace * split_.faces.size());
  for (const size_t face : split_.faces) {
    order.push_back({ViewKind::kCoarseFace, face});
    order.push_back({ViewKind::kFineFace, face});
    order.push_back({ViewKind::kPlainFace, face});
    if (random.Chance(kMinedShare)) {
      order.push_back(
          {ViewKind::kNegative, split_.negatives[random.Below(split_.negatives.size())]});
    } else {
      order.push_back({ViewKind::kBadView, face});
    }
  }
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  return order;
}

StatusOr<LandmarkView> TorchLandmarkTraining::MakeView(const ViewOrder& order,
                                                       RandomStream& random) const {
  const bool mirrored = IsMirroring() && random.Chance(0.5);
  switch (order.kind) {
    case ViewKind::kCoarseFace:
      return FaceView(samples_.faces[order.index], {ViewJitter::kCoarse, mirrored}, random);
    case ViewKind::kFineFace:
      return FaceView(samples_.faces[order.index], {ViewJitter::kFine, mirrored}, random);
    case ViewKind::kPlainFace:
      return FaceView(samples_.faces[order.index], {ViewJitter::kPlain, mirrored}, random);
    case ViewKind::kBadView:
      return BadView(samples_.faces[order.index], random);
    case ViewKind::kNegative:
      return NegativeView(samples_.negatives[order.index], random);
  }
  return Internal("a view of no kind");
}

StatusOr<Batch> TorchLandmarkTraining::MakeBatch(const std::vector<ViewOrder>& order,
                                                 int64_t number) const {
  const auto begin = static_cast<size_t>(number * options_.batch);
  const size_t count = std::min(static_cast<size_t>(options_.batch), order.size() - begin);
  const auto rows = static_cast<int64_t>(count);
  Batch batch{.crops = torch::empty({rows, 1, kCropSide, kCropSide}),
              .targets = torch::zeros({rows, kPoints}),
              .faces = torch::zeros({rows})};
  auto* crop_at = batch.crops.data_ptr<float>();
  auto* target_at = batch.targets.data_ptr<float>();
  auto* const face_at = batch.faces.data_ptr<float>();
  for (size_t i = 0; i < count; ++i) {
    RandomStream random(options_.seed, kView, epochs_done_, begin + i);
    FACEGATE_ASSIGN_OR_RETURN(const LandmarkView view, MakeView(order[begin + i], random));
    const cv::Mat input = LandmarkInput(view.crop);
    crop_at = std::copy_n(input.ptr<float>(), kCropSide * kCropSide, crop_at);
    target_at = std::copy(view.target.begin(), view.target.end(), target_at);
    face_at[i] = view.face ? 1.0F : 0.0F;
  }
  return batch;
}

StatusOr<LandmarkTraining::EpochReport> TorchLandmarkTraining::Learn(const Batch& batch) {
  module_->train();
  optimizer_->ZeroGrad();
  const torch::Tensor outputs = module_->forward(batch.crops);
  const torch::Tensor point_loss =
      PointLoss(outputs.slice(1, 0, kPoints), batch.targets, batch.faces);
  const torch::Tensor face_loss =
      nn::binary_cross_entropy_with_logits(outputs.select(1, kPoints), batch.faces);
  (point_loss + kFaceWeight * face_loss).backward();
  const EpochReport report{.point_error = point_loss.item<double>(),
                           .face_error = face_loss.item<double>()};
  if (!std::isfinite(report.point_error + report.face_error)) {
    return Internal("the loss is no longer a number; a smaller learning rate may help");
  }
  optimizer_->ClipGradients(kLargestNorm);
  optimizer_->Step(schedule_.At(optimizer_->steps()));
  return report;
}

StatusOr<LandmarkTraining::EpochReport> TorchLandmarkTraining::RunEpoch(
    const std::function<void()>& on_batch) {
  const std::vector<ViewOrder> order = OrderOf(epochs_done_);
  const int64_t batches = batches_per_epoch();
  const auto prepare = [&](int64_t number) {
    return std::async(std::launch::async, [&, number] { return MakeBatch(order, number); });
  };
  EpochReport mean;
  std::future<StatusOr<Batch>> next = prepare(0);
  for (int64_t number = 0; number < batches; ++number) {
    FACEGATE_ASSIGN_OR_RETURN(const Batch batch, next.get());
    if (number + 1 < batches) next = prepare(number + 1);
    FACEGATE_ASSIGN_OR_RETURN(const EpochReport report, Learn(batch));
    mean.point_error += report.point_error / static_cast<double>(batches);
    mean.face_error += report.face_error / static_cast<double>(batches);
    on_batch();
  }
  ++epochs_done_;
  return mean;
}

StatusOr<LandmarkWeights> TorchLandmarkTraining::Weights() {
  LandmarkWeights weights = module_->Folded();
  weights.tensors[kBoxToFrame] = {.shape = {3},
                                  .values = {box_to_frame_.begin(), box_to_frame_.end()}};
  return RoundedAsInFile(weights);
}

std::vector<NamedTensor> TorchLandmarkTraining::State() {
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

CheckpointFacts TorchLandmarkTraining::Facts() const {
  return {{"seed", std::to_string(options_.seed)},
          {"epochs", std::to_string(options_.epochs)},
          {"batch", std::to_string(options_.batch)},
          {"learning_rate", fmt::format("{}", options_.learning_rate)},
          {"weight_decay", fmt::format("{}", options_.weight_decay)},
          {"faces", std::to_string(split_.faces.size())},
          {"negatives", std::to_string(split_.negatives.size())}};
}

Status TorchLandmarkTraining::Save(const std::string& path) {
  CheckpointFacts facts = Facts();
  facts[kEpochs] = std::to_string(epochs_done_);
  facts[kUpdates] = std::to_string(optimizer_->steps());
  return WriteCheckpoint(path, State(), facts);
}

Status TorchLandmarkTraining::Resume(const std::string& path) {
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

StatusOr<std::unique_ptr<LandmarkTraining>> LandmarkTraining::Create(
    const LandmarkTrainingOptions& options, const LandmarkSamples& samples,
    const SampleSplit& split) {
  if (options.epochs < 1 || options.batch < 2 || options.threads < 1) {
    return InvalidArgument(fmt::format(
        "there are {} epochs, {} views in a batch and {} threads, at least 1, 2 and 1 are needed",
        options.epochs, options.batch, options.threads));
  }
  torch::set_num_threads(options.threads);
  const int64_t batches = BatchesOf(options, split);
  FACEGATE_ASSIGN_OR_RETURN(
      LrSchedule schedule,
      LrSchedule::Create({.kind = "cosine",
                          .base = options.learning_rate,
                          .total = batches * options.epochs,
                          .warmup = batches * std::min(kWarmupEpochs, options.epochs - 1)}));
  FACEGATE_ASSIGN_OR_RETURN(const auto box_to_frame, MeasureBoxToFrame(samples, split.faces));
  auto training = std::make_unique<TorchLandmarkTraining>(options, samples, split,
                                                          std::move(schedule), box_to_frame);
  FACEGATE_RETURN_IF_ERROR(training->Begin());
  return training;
}

}  // namespace facegate
