#include "trainer/landmarks/landmark_training.h"

#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <array>
#include <future>
#include <span>
#include <utility>
#include <vector>

#include "face/base/random.h"
#include "face/detect/landmark_net.h"
#include "face/network/grey_networks.h"
#include "face/weights/landmark_file.h"
#include "trainer/landmarks/point_loss.h"
#include "trainer/landmarks/view.h"
#include "trainer/learn/grey_training.h"

namespace facegate {
namespace {

namespace nn = torch::nn::functional;

constexpr uint64_t kOrder = 73;
constexpr uint64_t kView = 74;
// Each face has so many in an epoch: a coarse view, a fine one, a plain one, and one without a
// face.
constexpr size_t kViewsOfFace = 4;
constexpr double kMinedShare = 0.6;  // of the latter: boxes of the cascade
constexpr double kFaceWeight = 0.3;

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

class TorchLandmarkTraining final : public LandmarkTraining {
 public:
  TorchLandmarkTraining(std::unique_ptr<GreyTraining> grey, const LandmarkSamples& samples,
                        const SampleSplit& split, std::array<float, 3> box_to_frame)
      : grey_(std::move(grey)), samples_(samples), split_(split), box_to_frame_(box_to_frame) {}

  int64_t batches_per_epoch() const override { return grey_->batches_per_epoch(); }
  int64_t epochs_done() const override { return grey_->epochs_done(); }
  StatusOr<EpochReport> RunEpoch(const std::function<void()>& on_batch) override;
  StatusOr<LandmarkWeights> Weights() override;
  Status Save(const std::string& path) override { return grey_->Save(path); }
  Status Resume(const std::string& path) override { return grey_->Resume(path); }

 private:
  // True in the first half of the epochs: faces are mirrored too, which teaches more shapes; then
  // no more: given landmarks are a detector's, and what it does left and right need not be
  // symmetric.
  bool IsMirroring() const { return 2 * epochs_done() < grey_->options().epochs; }
  std::vector<ViewOrder> OrderOf(int64_t epoch) const;
  StatusOr<LandmarkView> MakeView(const ViewOrder& order, RandomStream& random) const;
  StatusOr<Batch> MakeBatch(const std::vector<ViewOrder>& order, int64_t number) const;
  StatusOr<EpochReport> Learn(const Batch& batch);

  const std::unique_ptr<GreyTraining> grey_;
  const LandmarkSamples& samples_;
  const SampleSplit& split_;
  const std::array<float, 3> box_to_frame_;
};

std::vector<ViewOrder> TorchLandmarkTraining::OrderOf(int64_t epoch) const {
  RandomStream random(grey_->options().seed, kOrder, epoch);
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
  random.Shuffle(std::span(order));
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
  const auto begin = static_cast<size_t>(number * grey_->options().batch);
  const size_t count = std::min(static_cast<size_t>(grey_->options().batch), order.size() - begin);
  const auto rows = static_cast<int64_t>(count);
  Batch batch{.crops = torch::empty({rows, 1, kCropSide, kCropSide}),
              .targets = torch::zeros({rows, kPoints}),
              .faces = torch::zeros({rows})};
  auto* crop_at = batch.crops.data_ptr<float>();
  auto* target_at = batch.targets.data_ptr<float>();
  auto* const face_at = batch.faces.data_ptr<float>();
  for (size_t i = 0; i < count; ++i) {
    RandomStream random(grey_->options().seed, kView, epochs_done(), begin + i);
    FACEGATE_ASSIGN_OR_RETURN(const LandmarkView view, MakeView(order[begin + i], random));
    const cv::Mat input = LandmarkInput(view.crop);
    crop_at = std::copy_n(input.ptr<float>(), kCropSide * kCropSide, crop_at);
    target_at = std::copy(view.target.begin(), view.target.end(), target_at);
    face_at[i] = view.face ? 1.0F : 0.0F;
  }
  return batch;
}

StatusOr<LandmarkTraining::EpochReport> TorchLandmarkTraining::Learn(const Batch& batch) {
  const torch::Tensor outputs = grey_->Forward(batch.crops);
  const torch::Tensor point_loss =
      PointLoss(outputs.slice(1, 0, kPoints), batch.targets, batch.faces);
  const torch::Tensor face_loss =
      nn::binary_cross_entropy_with_logits(outputs.select(1, kPoints), batch.faces);
  FACEGATE_RETURN_IF_ERROR(grey_->Learn(point_loss + kFaceWeight * face_loss));
  return EpochReport{.point_error = point_loss.item<double>(),
                     .face_error = face_loss.item<double>()};
}

StatusOr<LandmarkTraining::EpochReport> TorchLandmarkTraining::RunEpoch(
    const std::function<void()>& on_batch) {
  const std::vector<ViewOrder> order = OrderOf(epochs_done());
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
  grey_->FinishEpoch();
  return mean;
}

StatusOr<LandmarkWeights> TorchLandmarkTraining::Weights() {
  LandmarkWeights weights = grey_->Weights();
  weights.tensors[kBoxToFrame] = {.shape = {3},
                                  .values = {box_to_frame_.begin(), box_to_frame_.end()}};
  return RoundedAsInFile(weights);
}

}  // namespace

StatusOr<std::unique_ptr<LandmarkTraining>> LandmarkTraining::Create(
    const NetworkTrainingOptions& options, const LandmarkSamples& samples,
    const SampleSplit& split) {
  FACEGATE_ASSIGN_OR_RETURN(
      std::unique_ptr<GreyTraining> grey,
      GreyTraining::Create(options, DescribeLandmarkNetwork(), kViewsOfFace * split.faces.size(),
                           {{kSamplesFact, DigestOfSamples(SerializeSamples(samples, ""),
                                                           {split.faces, split.negatives})}}));
  FACEGATE_ASSIGN_OR_RETURN(const auto box_to_frame, MeasureBoxToFrame(samples, split.faces));
  return std::make_unique<TorchLandmarkTraining>(std::move(grey), samples, split, box_to_frame);
}

}  // namespace facegate
