#include "trainer/learn/checkpoint.h"

#include <fmt/format.h>

#include <utility>

#include "face/base/file.h"
#include "face/torch/tensor_conversion.h"
#include "face/weights/safetensors.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxBytes = 64ULL << 30;
constexpr char kKind[] = "kind";
constexpr char kKindValue[] = "facegate-checkpoint-1";

}  // namespace

void AddState(const std::string& prefix,
              const torch::OrderedDict<std::string, torch::Tensor>& tensors,
              std::vector<NamedTensor>& state) {
  for (const auto& item : tensors) {
    state.push_back({.name = prefix + item.key(), .value = item.value().detach()});
  }
}

bool IsCheckpoint(const CheckpointFacts& metadata) {
  const auto kind = metadata.find(kKind);
  return kind != metadata.end() && kind->second == kKindValue;
}

Status WriteCheckpoint(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const CheckpointFacts& facts) {
  Safetensors file;
  file.metadata = facts;
  file.metadata[kKind] = kKindValue;
  for (const NamedTensor& one : tensors) {
    FACEGATE_ASSIGN_OR_RETURN(Tensor tensor, FromTorch(one.value));
    if (!file.tensors.emplace(one.name, std::move(tensor)).second) {
      return Internal(fmt::format("two tensors of the training are called {}", one.name));
    }
  }
  return Annotate(WriteFileAtomically(path, SerializeSafetensors(file)), "checkpoint");
}

StatusOr<CheckpointFacts> ReadCheckpoint(const std::string& path,
                                         const std::vector<NamedTensor>& tensors) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxBytes));
  StatusOr<Safetensors> file = ParseSafetensors(bytes);
  if (!file.ok()) return Annotate(file.status(), path);
  if (!IsCheckpoint(file->metadata)) {
    return InvalidArgument(fmt::format("{} is not a checkpoint of this program", path));
  }
  std::vector<torch::Tensor> values;
  for (const NamedTensor& one : tensors) {
    const auto found = file->tensors.find(one.name);
    if (found == file->tensors.end()) {
      return InvalidArgument(fmt::format("{} has no tensor {}", path, one.name));
    }
    FACEGATE_ASSIGN_OR_RETURN(torch::Tensor value, ToTorch(found->second));
    if (value.sizes() != one.value.sizes() || value.scalar_type() != one.value.scalar_type()) {
      return InvalidArgument(
          fmt::format("{}: tensor {} is {} {}, the training's is of another shape or type", path,
                      one.name, DTypeName(found->second.dtype), ShapeText(found->second.shape)));
    }
    values.push_back(std::move(value));
  }
  if (file->tensors.size() != tensors.size()) {
    return InvalidArgument(fmt::format("{} has {} tensors, the training {}", path,
                                       file->tensors.size(), tensors.size()));
  }
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < tensors.size(); ++i) {
    torch::Tensor target = tensors[i].value;
    target.copy_(values[i]);
  }
  return std::move(file->metadata);
}

}  // namespace facegate
