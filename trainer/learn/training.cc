#include "trainer/learn/training.h"

#include <fmt/format.h>
#include <torch/utils.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "face/base/random.h"
#include "trainer/fused/backbone_fusion.h"
#include "trainer/learn/autocast.h"
#include "trainer/learn/card_failure.h"
#include "trainer/learn/initial_weights.h"
#include "trainer/learn/kept_tensors.h"
#include "trainer/learn/recompute.h"
#include "trainer/learn/shared_norms.h"

namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

constexpr uint64_t kDropout = 41;
constexpr std::string_view kBackbone = "backbone";  // to freeze: all of it

// Moves tensors into one for each type and device, of which they then are parts; returns those.
std::vector<TorchTensor> Joined(std::vector<TorchTensor> tensors) {
  std::vector<TorchTensor> joined;
  while (!tensors.empty()) {
    const TorchTensor first = tensors.front();
    const auto others =
        std::stable_partition(tensors.begin(), tensors.end(), [&](const TorchTensor& one) {
          return one.scalar_type() == first.scalar_type() && one.device() == first.device();
        });
    std::vector<TorchTensor> rows;
    for (auto it = tensors.begin(); it != others; ++it) rows.push_back(it->flatten());
    joined.push_back(torch::cat(rows));
    int64_t begin = 0;
    for (auto it = tensors.begin(); it != others; ++it) {
      it->set_data(joined.back().narrow(0, begin, it->numel()).view(it->sizes()));
      begin += it->numel();
    }
    tensors.erase(tensors.begin(), others);
  }
  return joined;
}

// Runs `body` as CatchToStatus() does; where there is a card, its failures are told as
// CardFailure() does.
template <typename Body>
auto CatchFailure(const Card* card, const TrainingOptions& options, int64_t photos,
                  const Body& body) -> decltype(body()) {
  return CatchToStatus("training", [&]() -> decltype(body()) {
    if (card == nullptr) return body();
    try {
      return body();
    } catch (const c10::Error& error) {
      return CardFailure(options.device.name(), error, card->memory(), photos);
    }
  });
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
  if (options.precision == Precision::kFp16 && !options.device.is_cuda()) {
    return InvalidArgument("fp16 needs a card, and the device is the CPU: take bf16 or fp32");
  }
  return OkStatus();
}

Status CheckTogether(const TrainingOptions& options) {
  if (options.likeness > 0.0) {
    return InvalidArgument("several processes do not train with a weight of the likeness");
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<Training>> Training::Create(const TrainingOptions& options,
                                                     std::shared_ptr<ProcessGroup> group) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<Card> card;
  if (options.device.is_cuda()) {
    FACEGATE_ASSIGN_OR_RETURN(card, OpenCard(options));
  }
  return CreateOn(std::move(card), options, std::move(group));
}

StatusOr<std::unique_ptr<Training>> Training::CreateOn(const std::shared_ptr<Card>& card,
                                                       const TrainingOptions& options,
                                                       std::shared_ptr<ProcessGroup> group) {
  if (group != nullptr) FACEGATE_RETURN_IF_ERROR(CheckTogether(options));
  return CatchFailure(card.get(), options, 0, [&] { return Make(card, group, options); });
}

StatusOr<std::unique_ptr<Training>> Training::Make(const std::shared_ptr<Card>& card,
                                                   const std::shared_ptr<ProcessGroup>& group,
                                                   const TrainingOptions& options) {
  FACEGATE_ASSIGN_OR_RETURN(LrSchedule schedule, LrSchedule::Create(options.schedule));
  FACEGATE_ASSIGN_OR_RETURN(auto backbone, CreateBackbone(options.architecture, options.dropout));
  FACEGATE_ASSIGN_OR_RETURN(auto head, ClassHead::Create(options.head, group));
  // What runs as one has the batch norms of its own process.
  const bool fuses = options.fused && !options.recompute && card == nullptr && group == nullptr;
  backbone->set_fusion(fuses ? BeginStages : nullptr);
  if (options.recompute) {
    backbone->set_segment_run(RecomputeSegments(NarrowType(options.precision)));
  }
  SetInitialWeights(*backbone, options.seed);
  if (options.channels_last) {
    const torch::NoGradGuard no_grad;
    for (TorchTensor& parameter : backbone->parameters()) {
      if (parameter.dim() == 4) {
        parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
      }
    }
  }
  if (card != nullptr) {
    backbone->to(card->device());
    head->MoveTo(card->device());
  }
  std::unique_ptr<Training> training(
      new Training(options, card, group, std::move(backbone), std::move(head)));
  FACEGATE_RETURN_IF_ERROR(training->Freeze());
  FACEGATE_ASSIGN_OR_RETURN(auto optimizer,
                            Optimizer::Create(options.optimizer, training->TrainedParameters()));
  training->descent_ =
      std::make_unique<Descent>(std::move(optimizer), std::move(schedule), options.clip_norm);
  training->descent_->ShareWith(group, options.narrow_gradients ? Travel::kFp16 : Travel::kWhole);
  if (group != nullptr) ShareNorms(*training->backbone_, *group);
  training->BeginOnCard();
  return training;
}

Training::Training(const TrainingOptions& options, std::shared_ptr<Card> card,
                   std::shared_ptr<ProcessGroup> group, std::shared_ptr<Backbone> backbone,
                   std::shared_ptr<ClassHead> head)
    : options_(options),
      card_(std::move(card)),
      group_(std::move(group)),
      backbone_(std::move(backbone)),
      head_(std::move(head)),
      loss_(options_, backbone_, head_, group_),
      learned_(LearnedBuffers()) {
  if (card_ != nullptr) learned_ = Joined(std::move(learned_));
  if (options_.ema_decay == 0.0) return;
  average_ = Averaged();
  for (NamedTensor& one : average_) one.value = one.value.clone();
}

void Training::BeginOnCard() {
  if (card_ == nullptr) return;
  if (options_.precision == Precision::kFp16) descent_->ScaleLosses(card_->device());
  // Gathered over several batches, gradients are sums, which a recording would write over. What
  // goes to other processes cannot be recorded.
  card_step_ = std::make_unique<CardStep>(
      CardStep::Parts{.card = *card_, .loss = loss_, .descent = *descent_},
      options_.cuda_graph && !options_.recompute && group_ == nullptr && options_.accumulate == 1);
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
                            .rate = rate,
                            .is_share = IsShare(prefix)});
    }
  };
  add(*backbone_, "backbone.", options_.backbone_rate);
  add(*head_, "head.", 1.0);
  return parameters;
}

torch::Device Training::device() const {
  return card_ == nullptr ? torch::Device(torch::kCPU) : card_->device();
}

StatusOr<std::vector<std::vector<int64_t>>> Training::MapShapes() {
  using Shapes = std::vector<std::vector<int64_t>>;
  return CatchToStatus("running the network", [&]() -> StatusOr<Shapes> {
    const torch::NoGradGuard no_grad;
    const bool was_training = backbone_->is_training();
    backbone_->eval();
    std::vector<TorchTensor> maps;
    backbone_->ForwardWithMaps(torch::zeros(backbone_->InputShape(1), device()), maps);
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
  if (group_ != nullptr && !targets.embeddings.empty()) {
    return InvalidArgument("several processes do not train with a teacher");
  }
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

StatusOr<ShippedBatch> Training::Ship(const Batch& batch) const {
  FACEGATE_CHECK(card_ != nullptr);
  return CatchFailure(card_.get(), options_, static_cast<int64_t>(batch.labels.size()),
                      [&]() -> StatusOr<ShippedBatch> {
                        return ShipBatch(ShowBatch(batch, backbone_->input()), *card_);
                      });
}

StatusOr<StepReport> Training::Learn(const Batch& batch, const TeacherTargets& targets,
                                     const std::optional<ShippedBatch>& shipped) {
  StepReport report{.batch = batches_,
                    .distillation = {},
                    .map_distillation = {},
                    .learning_rate = descent_->learning_rate(),
                    .gradient_norm = descent_->gradient_norm(),
                    .loss_scale = descent_->loss_scale()};
  FACEGATE_RETURN_IF_ERROR(CheckTargets(batch, targets));
  FACEGATE_RETURN_IF_ERROR(
      CatchFailure(card_.get(), options_, static_cast<int64_t>(batch.labels.size()),
                   [&] { return LearnNext(batch, targets, shipped, report); }));
  batches_ += 1;
  return report;
}

Status Training::LearnNext(const Batch& batch, const TeacherTargets& targets,
                           const std::optional<ShippedBatch>& shipped, StepReport& report) {
  Train();
  KeptTensors kept(learned_);
  SeedStep();
  const auto undo = [&] {
    kept.Restore();
    descent_->Forget();
    SeedStep();
  };
  FACEGATE_ASSIGN_OR_RETURN(const double norm,
                            card_ == nullptr ? GatherOnCpu(batch, targets, report)
                                             : GatherOnCard(batch, targets, shipped, undo, report));
  report.skipped = !std::isfinite(norm);
  if (report.skipped) kept.Restore();
  if (report.skipped && std::isfinite(report.loss)) report.gradient_norm = norm;
  if ((batches_ + 1) % options_.accumulate != 0 || !descent_->Update()) return OkStatus();
  if (!report.skipped) report.gradient_norm = descent_->gradient_norm();
  UpdateAverage();
  return OkStatus();
}

void Training::SeedStep() const {
  // Dropout draws from LibTorch's generators: the same after a stop as without one.
  const auto step = static_cast<uint64_t>(batches_);
  RandomStream random(options_.seed, kDropout, step);
  // Of several processes, each draws for its own part of the batch.
  if (group_ != nullptr && group_->rank() > 0) {
    random = RandomStream(options_.seed, kDropout, step, static_cast<uint64_t>(group_->rank()));
  }
  torch::manual_seed(random.Next());
}

StatusOr<double> Training::GatherOnCpu(const Batch& batch, const TeacherTargets& targets,
                                       StepReport& report) {
  StagedBatch shown = ShowBatch(batch, backbone_->input());
  ShowTargets(targets, shown);
  FACEGATE_ASSIGN_OR_RETURN(const StepNumbers numbers, loss_.Of(shown, batches_));
  const auto read = [](const TorchTensor& number) {
    return number.defined() ? std::optional(number.item<double>()) : std::nullopt;
  };
  report.loss = numbers.loss.item<double>();
  report.accuracy = read(numbers.accuracy).value_or(0.0);
  report.distillation = read(numbers.distillation);
  report.map_distillation = read(numbers.map_distillation);
  return descent_->Gather(numbers.loss);
}

StatusOr<double> Training::GatherOnCard(const Batch& batch, const TeacherTargets& targets,
                                        const std::optional<ShippedBatch>& shipped,
                                        const std::function<void()>& undo, StepReport& report) {
  if (shipped.has_value()) {
    return card_step_->Gather(*shipped, targets, batches_, undo, report);
  }
  return card_step_->Gather(ShipBatch(ShowBatch(batch, backbone_->input()), *card_), targets,
                            batches_, undo, report);
}

std::vector<float> Training::Embed(std::span<const float> pixels, int64_t count) {
  const torch::NoGradGuard no_grad;
  SwapAverage();
  backbone_->eval();
  const TorchTensor input = torch::from_blob(const_cast<float*>(pixels.data()),
                                             backbone_->InputShape(count), torch::kFloat);
  const TorchTensor embeddings =
      backbone_->forward(InMemoryOrder(input.to(device()), options_.channels_last))
          .cpu()
          .contiguous();
  SwapAverage();
  const auto* const values = embeddings.data_ptr<float>();
  return {values, values + embeddings.numel()};
}

}  // namespace facegate
