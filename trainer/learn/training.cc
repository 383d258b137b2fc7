#include "trainer/learn/training.h"

#include <ATen/autocast_mode.h>
#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "face/base/catch.h"
#include "face/base/random.h"
#include "trainer/fused/backbone_fusion.h"
#include "trainer/learn/initial_weights.h"

namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

constexpr uint64_t kDropout = 41;
constexpr std::string_view kBackbone = "backbone";  // to freeze: all of it

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

// Tensors as they are, to be put back.
class KeptTensors {
 public:
  explicit KeptTensors(const std::vector<TorchTensor>& tensors) {
    const torch::NoGradGuard no_grad;
    kept_.reserve(tensors.size());
    for (const TorchTensor& tensor : tensors) kept_.emplace_back(tensor, tensor.clone());
  }
  void Restore() {
    const torch::NoGradGuard no_grad;
    for (auto& [tensor, value] : kept_) tensor.copy_(value);
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

// Tells which pictures are degraded, a truth value each.
TorchTensor DegradedOf(const Batch& batch) {
  TorchTensor degraded = torch::zeros({static_cast<int64_t>(batch.labels.size())}, torch::kBool);
  for (size_t i = 0; i < batch.degraded.size(); ++i) {
    if (batch.degraded[i]) degraded[static_cast<int64_t>(i)] = true;
  }
  return degraded;
}

Status CheckOptions(const TrainingOptions& options) {
  const std::tuple<std::string_view, double, NumberRange> all[] = {
      {"accumulate", static_cast<double>(options.accumulate), LearningRange::kAccumulate},
      {"the weight of the distillation", options.distillation, LearningRange::kDistillation},
      {"the weight of maps", options.map_distillation, LearningRange::kDistillation},
      {"the weight of the likeness", options.likeness, LearningRange::kDistillation},
      {"backbone_rate", options.backbone_rate, LearningRange::kBackboneRate},
      {"weight_decay", options.weight_decay, LearningRange::kWeightDecay},
      {"clip_norm", options.clip_norm, LearningRange::kClipNorm},
      {"dropout", options.dropout, LearningRange::kDropout},
      {"ema_decay", options.ema_decay, LearningRange::kEmaDecay},
      {"focal_gamma", options.loss.focal_gamma, HeadRange::kFocalGamma},
      {"label_smoothing", options.loss.label_smoothing, HeadRange::kSmoothing}};
  for (const auto& [name, value, range] : all) {
    FACEGATE_RETURN_IF_ERROR(CheckRange(name, value, range));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Training>> Training::Create(const TrainingOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  FACEGATE_ASSIGN_OR_RETURN(LrSchedule schedule, LrSchedule::Create(options.schedule));
  FACEGATE_ASSIGN_OR_RETURN(auto backbone, CreateBackbone(options.architecture, options.dropout));
  FACEGATE_ASSIGN_OR_RETURN(auto head, ClassHead::Create(options.head));
  backbone->set_fusion(options.fused ? BeginStages : nullptr);
  SetInitialWeights(*backbone, options.seed);
  if (options.channels_last) {
    const torch::NoGradGuard no_grad;
    for (TorchTensor& parameter : backbone->parameters()) {
      if (parameter.dim() == 4) {
        parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
      }
    }
  }
  std::unique_ptr<Training> training(new Training(options, std::move(backbone), std::move(head)));
  FACEGATE_RETURN_IF_ERROR(training->Freeze());
  FACEGATE_ASSIGN_OR_RETURN(auto optimizer,
                            Optimizer::Create(options.optimizer, training->TrainedParameters()));
  training->descent_ =
      std::make_unique<Descent>(std::move(optimizer), std::move(schedule), options.clip_norm);
  return training;
}

Training::Training(const TrainingOptions& options, std::shared_ptr<Backbone> backbone,
                   std::shared_ptr<ClassHead> head)
    : options_(options), backbone_(std::move(backbone)), head_(std::move(head)) {
  if (options_.ema_decay == 0.0) return;
  average_ = Averaged();
  for (NamedTensor& one : average_) one.value = one.value.clone();
}

Status Training::Freeze() {
  const auto parameters = backbone_->named_parameters();
  const auto modules = backbone_->named_modules();
  for (const std::string& name : options_.freeze) {
    const auto is_below = [&name](const std::string& key) {
      return name == kBackbone || key == name || key.starts_with(name + ".");
    };
    bool any = false;
    for (const auto& item : parameters) {
      if (!is_below(item.key())) continue;
      any = true;
      TorchTensor value = item.value();
      value.requires_grad_(false);
    }
    for (const auto& item : modules) {
      if (is_below(item.key())) frozen_.push_back(item.value());
    }
    if (!any) {
      return InvalidArgument(
          fmt::format("{} has no layer \"{}\" to freeze", options_.architecture, name));
    }
  }
  return OkStatus();
}

void Training::Train() {
  backbone_->train();
  for (const auto& module : frozen_) module->eval();
}

std::vector<TorchTensor> Training::LearnedBuffers() const {
  std::vector<TorchTensor> buffers = backbone_->buffers();
  for (const MarginRule::Buffer& buffer : head_->rule_buffers()) buffers.push_back(buffer.value);
  return buffers;
}

std::vector<TrainedParameter> Training::TrainedParameters() const {
  std::vector<TrainedParameter> parameters;
  const auto add = [&](const torch::nn::Module& module, const std::string& prefix, double rate) {
    for (const auto& item : module.named_parameters()) {
      if (!item.value().requires_grad()) continue;
      parameters.push_back({.name = prefix + item.key(),
                            .value = item.value(),
                            .weight_decay = IsDecayed(item.value()) ? options_.weight_decay : 0.0,
                            .rate = rate});
    }
  };
  add(*backbone_, "backbone.", options_.backbone_rate);
  add(*head_, "head.", 1.0);
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
  const TorchTensor degraded = DegradedOf(batch);
  TorchTensor loss;
  if (labelled.numel() == count) {
    loss = LabelledLoss(embeddings, labels, report);
  } else if (labelled.numel() > 0) {
    loss = LabelledLoss(embeddings.index_select(0, labelled), labels.index_select(0, labelled),
                        report);
  }
  if (options_.likeness > 0.0 && loss.defined()) {
    const TorchTensor strangers = degraded.logical_and(labels >= 0).nonzero().flatten();
    loss = loss + options_.likeness * LikenessLoss(embeddings.index_select(0, strangers),
                                                   labels.index_select(0, strangers));
  }
  if (targets.embeddings.empty()) return loss;
  FACEGATE_ASSIGN_OR_RETURN(
      const TorchTensor taught,
      TeacherLoss(embeddings, maps, degraded.logical_not().nonzero().flatten(), targets, report));
  return loss.defined() ? loss + taught : taught;
}

StatusOr<TorchTensor> Training::TeacherLoss(const TorchTensor& embeddings,
                                            std::span<const TorchTensor> maps,
                                            const TorchTensor& with_maps,
                                            const TeacherTargets& targets,
                                            StepReport& report) const {
  const auto like = [](std::span<const float> values, const TorchTensor& own) {
    return torch::from_blob(const_cast<float*>(values.data()), own.sizes(), torch::kFloat);
  };
  const TorchTensor distillation =
      DistillationLoss(embeddings, like(targets.embeddings, embeddings));
  report.distillation = distillation.item<double>();
  TorchTensor loss = options_.distillation * distillation;
  if (targets.maps.empty() || with_maps.numel() == 0) return loss;
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
    const auto chosen = [&](const TorchTensor& map) {
      return with_maps.numel() == map.size(0) ? map : map.index_select(0, with_maps);
    };
    sum = sum + MapLoss(chosen(maps[i].to(torch::kFloat)), chosen(like(targets.maps[i], maps[i])));
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
                    .learning_rate = descent_->learning_rate(),
                    .gradient_norm = descent_->gradient_norm()};
  FACEGATE_RETURN_IF_ERROR(CheckTargets(batch, targets));
  const Status status = CatchToStatus("training", [&]() -> Status {
    Train();
    KeptTensors kept(LearnedBuffers());
    // Dropout draws from LibTorch's generator: the same after a stop as without one.
    torch::manual_seed(
        RandomStream(options_.seed, kDropout, static_cast<uint64_t>(batches_)).Next());
    FACEGATE_ASSIGN_OR_RETURN(const TorchTensor loss, Loss(batch, targets, report));
    report.loss = loss.item<double>();
    const double norm = descent_->Gather(loss);
    report.skipped = !std::isfinite(norm);
    if (report.skipped) kept.Restore();
    if (report.skipped && std::isfinite(report.loss)) report.gradient_norm = norm;
    if ((batches_ + 1) % options_.accumulate != 0 || !descent_->Update()) return OkStatus();
    if (!report.skipped) report.gradient_norm = descent_->gradient_norm();
    UpdateAverage();
    return OkStatus();
  });
  FACEGATE_RETURN_IF_ERROR(status);
  batches_ += 1;
  return report;
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

}  // namespace facegate
