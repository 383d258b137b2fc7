#include "trainer/learn/card_step.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

// The first steps choose algorithms and take memory, which cannot be recorded.
constexpr int64_t kStepsBefore = 3;
enum : int64_t { kLoss, kAccuracy, kDistillation, kMaps, kNorm, kNumbers };

bool FitsInto(StagedBatch batch, StagedBatch recorded) {
  const std::vector<TorchTensor*> own = batch.tensors();
  const std::vector<TorchTensor*> other = recorded.tensors();
  if (own.size() != other.size()) return false;
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i]->defined() != other[i]->defined()) return false;
    if (own[i]->defined() && own[i]->sizes() != other[i]->sizes()) return false;
  }
  return true;
}

}  // namespace

CardStep::CardStep(const Parts& parts, bool record)
    : parts_(parts),
      may_record_(record),
      read_(torch::zeros({kNumbers},
                         torch::TensorOptions(torch::kDouble).device(parts.card.device()))) {}

StatusOr<double> CardStep::Gather(const ShippedBatch& shipped, const TeacherTargets& targets,
                                  int64_t batches, const std::function<void()>& undo,
                                  StepReport& report) {
  StagedBatch batch = shipped.batch;
  parts_.card.Await(shipped.shipment);
  ShippedBatch taught;
  if (!targets.embeddings.empty()) {
    StagedBatch shown;
    ShowTargets(targets, shown);
    taught = ShipBatch(std::move(shown), parts_.card);
    parts_.card.Await(taught.shipment);
    batch.taught = taught.batch.taught;
    batch.taught_maps = taught.batch.taught_maps;
  }
  FACEGATE_RETURN_IF_ERROR(Queue(batch, batches, undo, report));
  double norm = 0.0;
  ReadInto(report, norm);
  return parts_.descent.Judge(
      std::isfinite(report.loss) ? norm : std::numeric_limits<double>::quiet_NaN());
}

Status CardStep::Queue(const StagedBatch& batch, int64_t batches, const std::function<void()>& undo,
                       StepReport& report) {
  if (!may_record_ || !batch.is_plain() || !parts_.loss.repeats(batches)) {
    return Run(batch, batches);
  }
  if (recorded_ == nullptr) {
    if (repeating_++ < kStepsBefore || !Record(batch, batches, undo, report)) {
      return Run(batch, batches);
    }
  }
  return FitsInto(batch, recorded_->batch) ? Replay(batch) : Run(batch, batches);
}

Status CardStep::Run(const StagedBatch& batch, int64_t batches) {
  FACEGATE_ASSIGN_OR_RETURN(numbers_, parts_.loss.Of(batch, batches));
  const TorchTensor norm = parts_.descent.Backward(numbers_.loss);
  // Else the way back through the network would outlive the step, and with it the stream it ran on.
  numbers_.loss = numbers_.loss.detach();
  const auto number = [&](const TorchTensor& one) {
    return one.defined() ? one.to(torch::kDouble) : torch::zeros_like(norm);
  };
  std::array<TorchTensor, kNumbers> all;
  all[kLoss] = number(numbers_.loss);
  all[kAccuracy] = number(numbers_.accuracy);
  all[kDistillation] = number(numbers_.distillation);
  all[kMaps] = number(numbers_.map_distillation);
  all[kNorm] = norm;
  read_.copy_(torch::stack(all));
  return OkStatus();
}

bool CardStep::Record(const StagedBatch& batch, int64_t batches, const std::function<void()>& undo,
                      StepReport& report) {
  recorded_ = std::make_unique<Recorded>(Recorded{.batch = batch});
  for (TorchTensor* const tensor : recorded_->batch.tensors()) {
    if (tensor->defined()) *tensor = tensor->clone();
  }
  const auto work = [this, batches] {
    recorded_->gradients.clear();
    recorded_->failure = Run(recorded_->batch, batches);
    if (!recorded_->failure.ok()) return;
    recorded_->numbers = numbers_;
    for (const TrainedParameter& parameter : parts_.descent.optimizer().parameters()) {
      recorded_->gradients.push_back(parameter.value.grad());
    }
  };
  // A recording cannot use the memory of the warm-up, which must be free by then.
  const auto forget = [this, &undo] {
    recorded_->gradients.clear();
    recorded_->numbers = {};
    numbers_ = {};
    undo();
  };
  StatusOr<std::unique_ptr<Recording>> recording = parts_.card.Record(work, forget);
  if (recording.ok() && !recorded_->failure.ok()) recording = recorded_->failure;
  if (recording.ok()) {
    recorded_->recording = *std::move(recording);
    return true;
  }
  undo();
  recorded_.reset();
  may_record_ = false;
  report.note = fmt::format("steps are not recorded as a CUDA graph, and are slower for it: {}",
                            MessageOf(recording.status()));
  return false;
}

Status CardStep::Replay(StagedBatch batch) {
  const std::vector<TorchTensor*> from = batch.tensors();
  const std::vector<TorchTensor*> into = recorded_->batch.tensors();
  for (size_t i = 0; i < from.size(); ++i) {
    if (from[i]->defined()) into[i]->copy_(*from[i]);
  }
  recorded_->recording->Replay();
  numbers_ = recorded_->numbers;
  const std::vector<TrainedParameter>& parameters = parts_.descent.optimizer().parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    TorchTensor value = parameters[i].value;
    value.mutable_grad() = recorded_->gradients[i];
  }
  return OkStatus();
}

void CardStep::ReadInto(StepReport& report, double& norm) const {
  const TorchTensor read = read_.cpu();
  const auto* const values = read.data_ptr<double>();
  report.loss = values[kLoss];
  if (numbers_.accuracy.defined()) report.accuracy = values[kAccuracy];
  if (numbers_.distillation.defined()) report.distillation = values[kDistillation];
  if (numbers_.map_distillation.defined()) report.map_distillation = values[kMaps];
  norm = values[kNorm];
}

}  // namespace facegate
