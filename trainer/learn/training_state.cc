#include <ATen/Functions.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "face/network/shape_map.h"
#include "face/torch/tensor_conversion.h"
#include "trainer/learn/checkpoint_facts.h"
#include "trainer/learn/training.h"

// This file has what a training keeps: checkpoints, averaged weights, and weights to begin with.
namespace facegate {
namespace {

using TorchTensor = torch::Tensor;

constexpr char kBatches[] = "batches";
constexpr char kUpdates[] = "updates";
constexpr char kGradientNorm[] = "gradient_norm";
constexpr char kBackbonePrefix[] = "backbone.";
constexpr char kHeadPrefix[] = "head.";
constexpr char kOptimizerPrefix[] = "optimizer.";
constexpr char kHeadState[] = "optimizer.head.";

// Puts those of `weights` that are called `prefix` and a name of the module, and have its shape,
// into the module. `fitting` gets the full names.
Status TakeFitting(const TensorMap& weights, const std::string& prefix, torch::nn::Module& module,
                   std::vector<std::string>& fitting, TakenWeights& taken) {
  FACEGATE_ASSIGN_OR_RETURN(TensorMap all, StateDict(module));
  for (auto& [name, tensor] : all) {
    const auto found = weights.find(prefix + name);
    const bool fits = found != weights.end() && found->second.shape == tensor.shape;
    if (fits) tensor = found->second;
    if (IsBatchCounter(name)) continue;
    (fits ? fitting : taken.missing).push_back(prefix + name);
  }
  return LoadWeights(all, module);
}

}  // namespace

StatusOr<TakenWeights> Training::StartFrom(const TensorMap& weights) {
  FACEGATE_CHECK(batches_ == 0);
  TakenWeights taken;
  std::vector<std::string> fitting;
  FACEGATE_RETURN_IF_ERROR(TakeFitting(weights, kBackbonePrefix, *backbone_, fitting, taken));
  if (fitting.empty()) {
    const std::string example = weights.empty() ? "nothing" : weights.begin()->first;
    return InvalidArgument(
        fmt::format("none of its {} tensors has the name and shape of one of {}; its first is {}",
                    weights.size(), options_.architecture, example));
  }
  FACEGATE_RETURN_IF_ERROR(TakeFitting(OwnRows(weights), kHeadPrefix, *head_, fitting, taken));
  taken.taken = fitting.size();
  std::sort(fitting.begin(), fitting.end());
  for (const auto& [name, tensor] : weights) {
    if (IsBatchCounter(name) || std::binary_search(fitting.begin(), fitting.end(), name)) continue;
    taken.left.push_back(fmt::format("{} {}", name, ShapeText(tensor.shape)));
  }
  const torch::NoGradGuard no_grad;
  const std::vector<NamedTensor> begun = Averaged();
  for (size_t i = 0; i < average_.size(); ++i) average_[i].value.copy_(begun[i].value);
  return taken;
}

std::vector<NamedTensor> Training::Averaged() const {
  std::vector<NamedTensor> all;
  const auto add = [&](const auto& items) {
    for (const auto& item : items) {
      if (IsBatchCounter(item.key())) continue;
      all.push_back({.name = item.key(), .value = item.value().detach()});
    }
  };
  add(backbone_->named_parameters());
  add(backbone_->named_buffers());
  return all;
}

void Training::UpdateAverage() {
  if (average_.empty()) return;
  const torch::NoGradGuard no_grad;
  const auto t = static_cast<double>(updates());
  const double decay = std::min(options_.ema_decay, (1.0 + t) / (10.0 + t));
  const std::vector<NamedTensor> now = Averaged();
  if (card_ == nullptr) {
    for (size_t i = 0; i < average_.size(); ++i) average_[i].value.lerp_(now[i].value, 1.0 - decay);
    return;
  }
  // All at once: a card is kept busy by few large calls.
  const auto values = [](const std::vector<NamedTensor>& tensors) {
    std::vector<TorchTensor> all;
    for (const NamedTensor& one : tensors) all.push_back(one.value);
    return all;
  };
  const std::vector<TorchTensor> averages = values(average_);
  at::_foreach_mul_(averages, decay);
  at::_foreach_add_(averages, values(now), 1.0 - decay);
}

void Training::SwapAverage() {
  if (average_.empty()) return;
  const torch::NoGradGuard no_grad;
  std::vector<NamedTensor> own = Averaged();
  for (size_t i = 0; i < average_.size(); ++i) {
    const TorchTensor kept = own[i].value.clone();
    own[i].value.copy_(average_[i].value);
    average_[i].value.copy_(kept);
  }
}

std::vector<NamedTensor> Training::State() {
  std::vector<NamedTensor> all;
  AddState(kBackbonePrefix, backbone_->named_parameters(), all);
  AddState(kBackbonePrefix, backbone_->named_buffers(), all);
  AddState(kHeadPrefix, head_->named_parameters(), all);
  for (const MarginRule::Buffer& buffer : head_->rule_buffers()) {
    all.push_back({.name = "margin." + buffer.name, .value = buffer.value});
  }
  descent_->AddState(kOptimizerPrefix, all);
  for (const NamedTensor& one : average_) {
    all.push_back({.name = "average." + one.name, .value = one.value});
  }
  return all;
}

bool Training::IsShare(std::string_view name) const {
  return group_ != nullptr && (name.starts_with(kHeadPrefix) || name.starts_with(kHeadState));
}

StatusOr<std::vector<NamedTensor>> Training::WholeState() {
  std::vector<NamedTensor> state = State();
  for (NamedTensor& one : state) {
    if (!IsShare(one.name)) continue;
    FACEGATE_ASSIGN_OR_RETURN(one.value, GatherRows(one.value, *group_));
  }
  return state;
}

std::vector<NamedTensor> Training::RoomForWhole(const std::vector<NamedTensor>& state) const {
  std::vector<NamedTensor> whole;
  whole.reserve(state.size());
  for (const NamedTensor& one : state) {
    std::vector<int64_t> shape = one.value.sizes().vec();
    if (IsShare(one.name)) shape[0] = shape[0] / head_->own().size() * options_.head.classes;
    whole.push_back({.name = one.name, .value = torch::empty(shape, one.value.options())});
  }
  return whole;
}

void Training::TakeOwn(const std::vector<NamedTensor>& whole,
                       const std::vector<NamedTensor>& state) const {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < state.size(); ++i) {
    TorchTensor value = state[i].value;
    TorchTensor from = whole[i].value;
    if (IsShare(state[i].name)) {
      const int64_t rows = value.size(0) / head_->own().size();  // of a class
      from = from.narrow(0, head_->own().begin * rows, value.size(0));
    }
    value.copy_(from);
  }
}

TensorMap Training::OwnRows(const TensorMap& weights) const {
  if (group_ == nullptr) return weights;
  TensorMap own = weights;
  for (auto& [name, tensor] : own) {
    if (!IsShare(name) || tensor.shape.empty() || tensor.shape[0] == 0) continue;
    const int64_t rows = tensor.shape[0] / options_.head.classes;  // of a class
    if (rows * options_.head.classes != tensor.shape[0]) continue;
    const auto row = static_cast<int64_t>(tensor.bytes.size()) / tensor.shape[0];
    const int64_t begin = head_->own().begin * rows * row;
    tensor.shape[0] = head_->own().size() * rows;
    tensor.bytes =
        tensor.bytes.substr(static_cast<size_t>(begin), static_cast<size_t>(tensor.shape[0] * row));
  }
  return own;
}

Status Training::Save(const std::string& path, CheckpointFacts facts) {
  FACEGATE_CHECK(at_update() && descent_->gathered() == 0);
  facts[kBatches] = std::to_string(batches_);
  facts[kUpdates] = std::to_string(updates());
  facts[kGradientNorm] = fmt::format("{}", descent_->gradient_norm());
  descent_->SaveScale(facts);
  return CatchToStatus("checkpoint", [&]() -> Status {
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<NamedTensor> state, WholeState());
    if (group_ != nullptr && group_->rank() > 0) return OkStatus();
    return WriteCheckpoint(path, state, facts);
  });
}

StatusOr<CheckpointFacts> Training::Resume(const std::string& path) {
  return CatchToStatus("checkpoint", [&]() -> StatusOr<CheckpointFacts> {
    const std::vector<NamedTensor> state = State();
    const std::vector<NamedTensor> whole = group_ == nullptr ? state : RoomForWhole(state);
    FACEGATE_ASSIGN_OR_RETURN(CheckpointFacts facts, ReadCheckpoint(path, whole));
    if (group_ != nullptr) TakeOwn(whole, state);
    FACEGATE_ASSIGN_OR_RETURN(const auto batches, CountIn(facts, kBatches));
    FACEGATE_ASSIGN_OR_RETURN(const auto updates, CountIn(facts, kUpdates));
    FACEGATE_RETURN_IF_ERROR(descent_->ResumeScale(facts));
    batches_ = batches;
    // The norm is for the log alone; a checkpoint of an earlier version does not have it.
    descent_->Resume(updates, NumberIn<double>(facts, kGradientNorm).value_or(0.0));
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
