#include "trainer/loop/training.h"

#include <ATen/autocast_mode.h>
#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "face/model/tensor_conversion.h"
#include "trainer/data/random.h"
#include "trainer/loop/initial_weights.h"

namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

constexpr uint64_t kDropout = 41;
constexpr char kBatches[] = "batches";
constexpr char kUpdates[] = "updates";

// Computes in bfloat16 where that is asked for, until the end of its scope.
class Bf16Scope {
 public:
  explicit Bf16Scope(bool on) : on_(on) {
    if (on_) at::autocast::set_cpu_enabled(true);
  }
  ~Bf16Scope() {
    if (!on_) return;
    at::autocast::clear_cache();
    at::autocast::set_cpu_enabled(false);
  }
  Bf16Scope(const Bf16Scope&) = delete;
  Bf16Scope& operator=(const Bf16Scope&) = delete;

 private:
  const bool on_;
};

// The buffers that a forward pass changes (running means): put back when the batch does not count.
class KeptBuffers {
 public:
  explicit KeptBuffers(torch::nn::Module& module) {
    for (const TorchTensor& buffer : module.buffers()) {
      kept_.emplace_back(buffer, buffer.clone());
    }
  }
  void Restore() {
    const torch::NoGradGuard no_grad;
    for (auto& [buffer, value] : kept_) buffer.copy_(value);
  }

 private:
  std::vector<std::pair<TorchTensor, TorchTensor>> kept_;
};

TorchTensor InputOf(std::span<const float> pixels, int64_t count, bool channels_last) {
  // The network reads the batch alone; the cast takes away a const that LibTorch has no word for.
  TorchTensor input =
      torch::from_blob(const_cast<float*>(pixels.data()),
                       {count, 3, Backbone::kInputSide, Backbone::kInputSide}, torch::kFloat);
  return channels_last ? input.contiguous(at::MemoryFormat::ChannelsLast) : input;
}

StatusOr<int64_t> NumberIn(const CheckpointFacts& facts, const char* name) {
  const auto found = facts.find(name);
  int64_t number = 0;
  if (found != facts.end()) {
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number >= 0) return number;
  }
  return InvalidArgument(fmt::format("the checkpoint does not say its {}", name));
}

}  // namespace

StatusOr<std::unique_ptr<Training>> Training::Create(const TrainingOptions& options) {
  if (options.accumulate < 1) return InvalidArgument("accumulate must be at least 1");
  for (const double weight : {options.distillation, options.map_distillation}) {
    if (weight >= 0.0) continue;
    return InvalidArgument(
        fmt::format("a weight of distillation is {}, must be at least 0", weight));
  }
  if (!(options.ema_decay >= 0.0 && options.ema_decay < 1.0)) {
    return InvalidArgument(fmt::format("ema_decay is {}, must be 0 to below 1", options.ema_decay));
  }
  FACEGATE_ASSIGN_OR_RETURN(LrSchedule schedule, LrSchedule::Create(options.schedule));
  FACEGATE_ASSIGN_OR_RETURN(auto backbone, CreateBackbone(options.architecture, options.dropout));
  FACEGATE_ASSIGN_OR_RETURN(auto head, ClassHead::Create(options.head));
  backbone->set_fused(options.fused);
  SetInitialWeights(*backbone, options.seed);
  if (options.channels_last) {
    const torch::NoGradGuard no_grad;
    for (TorchTensor& parameter : backbone->parameters()) {
      if (parameter.dim() == 4) {
        parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
      }
    }
  }
  std::unique_ptr<Training> training(
      new Training(options, std::move(backbone), std::move(head), std::move(schedule)));
  FACEGATE_ASSIGN_OR_RETURN(training->optimizer_,
                            Optimizer::Create(options.optimizer, training->TrainedParameters()));
  return training;
}

Training::Training(const TrainingOptions& options, std::shared_ptr<Backbone> backbone,
                   std::shared_ptr<ClassHead> head, LrSchedule schedule)
    : options_(options),
      backbone_(std::move(backbone)),
      head_(std::move(head)),
      schedule_(std::move(schedule)) {
  if (options_.ema_decay == 0.0) return;
  for (const auto& item : backbone_->named_parameters()) {
    average_.push_back({.name = item.key(), .value = item.value().detach().clone()});
  }
}

std::vector<TrainedParameter> Training::TrainedParameters() const {
  std::vector<TrainedParameter> parameters;
  const auto add = [&](const torch::nn::Module& module, const std::string& prefix) {
    for (const auto& item : module.named_parameters()) {
      if (!item.value().requires_grad()) continue;
      parameters.push_back({.name = prefix + item.key(),
                            .value = item.value(),
                            .weight_decay = IsDecayed(item.value()) ? options_.weight_decay : 0.0});
    }
  };
  add(*backbone_, "backbone.");
  add(*head_, "head.");
  return parameters;
}

TorchTensor Training::Forward(const TorchTensor& input, std::vector<TorchTensor>* maps) {
  const Bf16Scope scope(options_.bf16);
  if (maps == nullptr) return backbone_->forward(input).to(torch::kFloat);
  return backbone_->ForwardWithMaps(input, *maps).to(torch::kFloat);
}

TorchTensor Training::LabelledLoss(const TorchTensor& embeddings, const TorchTensor& labels,
                                   StepReport& report) {
  const double strength = options_.margin_warmup == 0
                              ? 1.0
                              : std::min(1.0, static_cast<double>(batches_) /
                                                  static_cast<double>(options_.margin_warmup));
  const HeadOutput output = head_->Forward(embeddings, labels, batches_, strength);
  TorchTensor loss = ClassificationLoss(output.logits, output.labels, options_.loss);
  if (output.added_loss.defined()) loss = loss + output.added_loss;
  report.accuracy =
      (output.cosines.argmax(1) == output.labels).to(torch::kFloat).mean().item<double>();
  return loss;
}

StatusOr<TorchTensor> Training::Loss(const Batch& batch, const TeacherTargets& targets,
                                     StepReport& report) {
  const auto count = static_cast<int64_t>(batch.labels.size());
  std::vector<TorchTensor> maps;
  const TorchTensor embeddings = Forward(InputOf(batch.pixels, count, options_.channels_last),
                                         targets.maps.empty() ? nullptr : &maps);
  const TorchTensor labels =
      torch::from_blob(const_cast<int64_t*>(batch.labels.data()), {count}, torch::kInt64);
  const TorchTensor labelled = (labels >= 0).nonzero().flatten();
  TorchTensor loss;
  if (labelled.numel() == count) {
    loss = LabelledLoss(embeddings, labels, report);
  } else if (labelled.numel() > 0) {
    loss = LabelledLoss(embeddings.index_select(0, labelled), labels.index_select(0, labelled),
                        report);
  }
  if (targets.embeddings.empty()) return loss;
  FACEGATE_ASSIGN_OR_RETURN(const TorchTensor taught,
                            TeacherLoss(embeddings, maps, targets, report));
  return loss.defined() ? loss + taught : taught;
}

StatusOr<TorchTensor> Training::TeacherLoss(const TorchTensor& embeddings,
                                            std::span<const TorchTensor> maps,
                                            const TeacherTargets& targets,
                                            StepReport& report) const {
  const auto like = [](std::span<const float> values, const TorchTensor& own) {
    return torch::from_blob(const_cast<float*>(values.data()), own.sizes(), torch::kFloat);
  };
  const TorchTensor distillation =
      DistillationLoss(embeddings, like(targets.embeddings, embeddings));
  report.distillation = distillation.item<double>();
  TorchTensor loss = options_.distillation * distillation;
  if (targets.maps.empty()) return loss;
  if (maps.size() != targets.maps.size()) {
    return InvalidArgument(fmt::format("the teacher gave {} maps, the network has {}",
                                       targets.maps.size(), maps.size()));
  }
  TorchTensor sum = torch::zeros({});
  for (size_t i = 0; i < maps.size(); ++i) {
    if (targets.maps[i].size() != static_cast<size_t>(maps[i].numel())) {
      return InvalidArgument(fmt::format("the teacher's map {} has {} numbers, expected {}", i,
                                         targets.maps[i].size(), maps[i].numel()));
    }
    sum = sum + MapLoss(maps[i].to(torch::kFloat), like(targets.maps[i], maps[i]));
  }
  const TorchTensor mean = sum / static_cast<double>(maps.size());
  report.map_distillation = mean.item<double>();
  return loss + options_.map_distillation * mean;
}

StatusOr<std::vector<std::vector<int64_t>>> Training::MapShapes() {
  using Shapes = std::vector<std::vector<int64_t>>;
  return CatchToStatus("running the network", [&]() -> StatusOr<Shapes> {
    const torch::NoGradGuard no_grad;
    const bool was_training = backbone_->is_training();
    backbone_->eval();
    std::vector<TorchTensor> maps;
    backbone_->ForwardWithMaps(torch::zeros({1, 3, Backbone::kInputSide, Backbone::kInputSide}),
                               maps);
    backbone_->train(was_training);
    Shapes shapes;
    shapes.reserve(maps.size());
    for (const TorchTensor& map : maps) {
      shapes.emplace_back(map.sizes().begin() + 1, map.sizes().end());
    }
    return shapes;
  });
}

Status Training::CheckTargets(const Batch& batch, const TeacherTargets& targets) const {
  const size_t count = batch.labels.size();
  const size_t expected = count * static_cast<size_t>(options_.head.embedding_size);
  if (!targets.embeddings.empty() && targets.embeddings.size() != expected) {
    return InvalidArgument(fmt::format("the teacher gave {} numbers for {} pictures, expected {}",
                                       targets.embeddings.size(), count, expected));
  }
  const bool any_labelled = std::any_of(batch.labels.begin(), batch.labels.end(),
                                        [](int64_t label) { return label >= 0; });
  if (!any_labelled && targets.embeddings.empty()) {
    return InvalidArgument("a batch has neither labels nor a teacher's embeddings");
  }
  return OkStatus();
}

StatusOr<StepReport> Training::Learn(const Batch& batch, const TeacherTargets& targets) {
  StepReport report{.batch = batches_,
                    .distillation = {},
                    .map_distillation = {},
                    .learning_rate = schedule_.At(updates()),
                    .gradient_norm = gradient_norm_};
  FACEGATE_RETURN_IF_ERROR(CheckTargets(batch, targets));
  const Status status = CatchToStatus("training", [&]() -> Status {
    backbone_->train();
    KeptBuffers kept(*backbone_);
    // Dropout draws from LibTorch's generator: the same after a stop as without one.
    torch::manual_seed(
        RandomStream(options_.seed, kDropout, static_cast<uint64_t>(batches_)).Next());
    FACEGATE_ASSIGN_OR_RETURN(const TorchTensor loss, Loss(batch, targets, report));
    report.loss = loss.item<double>();
    if (!std::isfinite(report.loss)) {
      report.skipped = true;
      kept.Restore();
      return OkStatus();
    }
    (loss / static_cast<double>(options_.accumulate)).backward();
    if ((batches_ + 1) % options_.accumulate != 0) return OkStatus();
    const double largest =
        options_.clip_norm > 0.0 ? options_.clip_norm : std::numeric_limits<double>::infinity();
    report.gradient_norm = gradient_norm_ = optimizer_->ClipGradients(largest);
    if (std::isfinite(gradient_norm_)) {
      optimizer_->Step(report.learning_rate);
      UpdateAverage();
    } else {
      report.skipped = true;
      kept.Restore();
    }
    optimizer_->ZeroGrad();
    return OkStatus();
  });
  FACEGATE_RETURN_IF_ERROR(status);
  batches_ += 1;
  return report;
}

void Training::UpdateAverage() {
  const torch::NoGradGuard no_grad;
  const auto parameters = backbone_->named_parameters();
  for (NamedTensor& one : average_) one.value.lerp_(parameters[one.name], 1.0 - options_.ema_decay);
}

void Training::SwapAverage() {
  const torch::NoGradGuard no_grad;
  auto parameters = backbone_->named_parameters();
  for (NamedTensor& one : average_) {
    TorchTensor& parameter = parameters[one.name];
    const TorchTensor kept = parameter.detach().clone();
    parameter.copy_(one.value);
    one.value.copy_(kept);
  }
}

std::vector<float> Training::Embed(std::span<const float> pixels, int64_t count) {
  const torch::NoGradGuard no_grad;
  SwapAverage();
  backbone_->eval();
  const TorchTensor embeddings =
      backbone_->forward(InputOf(pixels, count, options_.channels_last)).contiguous();
  SwapAverage();
  const auto* const values = embeddings.data_ptr<float>();
  return {values, values + embeddings.numel()};
}

std::vector<NamedTensor> Training::State() {
  std::vector<NamedTensor> all;
  const auto add = [&](const std::string& prefix, const auto& items) {
    for (const auto& item : items) {
      all.push_back({.name = prefix + item.key(), .value = item.value().detach()});
    }
  };
  add("backbone.", backbone_->named_parameters());
  add("backbone.", backbone_->named_buffers());
  add("head.", head_->named_parameters());
  for (const MarginRule::Buffer& buffer : head_->rule_buffers()) {
    all.push_back({.name = "margin." + buffer.name, .value = buffer.value});
  }
  for (const Optimizer::State& slot : optimizer_->state()) {
    all.push_back({.name = "optimizer." + slot.name, .value = slot.value});
  }
  for (const NamedTensor& one : average_) {
    all.push_back({.name = "average." + one.name, .value = one.value});
  }
  return all;
}

Status Training::Save(const std::string& path, CheckpointFacts facts) {
  FACEGATE_CHECK(batches_ % options_.accumulate == 0);
  facts[kBatches] = std::to_string(batches_);
  facts[kUpdates] = std::to_string(updates());
  return CatchToStatus("checkpoint", [&] { return WriteCheckpoint(path, State(), facts); });
}

StatusOr<CheckpointFacts> Training::Resume(const std::string& path) {
  return CatchToStatus("checkpoint", [&]() -> StatusOr<CheckpointFacts> {
    FACEGATE_ASSIGN_OR_RETURN(CheckpointFacts facts, ReadCheckpoint(path, State()));
    FACEGATE_ASSIGN_OR_RETURN(const int64_t batches, NumberIn(facts, kBatches));
    FACEGATE_ASSIGN_OR_RETURN(const int64_t updates, NumberIn(facts, kUpdates));
    batches_ = batches;
    optimizer_->set_steps(updates);
    return facts;
  });
}

StatusOr<TensorMap> Training::Weights() {
  SwapAverage();
  StatusOr<TensorMap> weights = StateDict(*backbone_);
  SwapAverage();
  return weights;
}

}  // namespace facegate
