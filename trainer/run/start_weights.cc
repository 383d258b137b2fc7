#include "trainer/run/start_weights.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <utility>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/model/model_file.h"
#include "face/model/safetensors.h"
#include "face/model/state_dict.h"
#include "face/model/torch_pickle.h"
#include "trainer/loop/checkpoint.h"

namespace facegate {
namespace {

constexpr std::string_view kBackbone = "backbone.";
constexpr std::string_view kAverage = "average.";
constexpr std::string_view kHead = "head.";

TensorMap BelowBackbone(TensorMap tensors) {
  TensorMap below;
  for (auto& [name, tensor] : tensors) {
    below.emplace(fmt::format("{}{}", kBackbone, name), std::move(tensor));
  }
  return below;
}

TensorMap FromCheckpoint(TensorMap state) {
  TensorMap tensors;
  for (auto& [name, tensor] : state) {
    if (name.starts_with(kAverage)) {
      const std::string_view own = std::string_view(name).substr(kAverage.size());
      tensors.insert_or_assign(fmt::format("{}{}", kBackbone, own), std::move(tensor));
    } else if (name.starts_with(kBackbone) || name.starts_with(kHead)) {
      tensors.emplace(name, std::move(tensor));  // an average, which comes first, stays
    }
  }
  return tensors;
}

StatusOr<StartWeights> Parse(std::string_view bytes) {
  StartWeights weights;
  if (!LooksLikeSafetensors(bytes)) {
    FACEGATE_ASSIGN_OR_RETURN(TensorMap tensors, ParseTorchPickle(bytes));
    weights.tensors = BelowBackbone(std::move(tensors));
    return weights;
  }
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, ParseSafetensors(bytes));
  if (IsCheckpoint(file.metadata)) {
    weights.tensors = FromCheckpoint(std::move(file.tensors));
  } else if (file.metadata.contains(std::string(kCardKey))) {
    FACEGATE_ASSIGN_OR_RETURN(ModelFile model, ModelFileFrom(std::move(file)));
    weights.tensors = BelowBackbone(std::move(model.tensors));
    weights.colours = model.card.preprocessing.colour_order;
    if (!model.card.training_data.empty()) {
      weights.description = fmt::format(", trained on: {}", model.card.training_data);
    }
  } else {
    weights.tensors = BelowBackbone(DropSharedPrefixes(std::move(file.tensors)));
  }
  return weights;
}

}  // namespace

StatusOr<StartWeights> ReadStartWeights(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxWeightFileBytes));
  StatusOr<StartWeights> weights = Parse(bytes);
  if (!weights.ok()) return Annotate(weights.status(), path);
  weights->description =
      fmt::format("{} (sha256 {}){}", std::filesystem::path(path).filename().string(),
                  Sha256Hex(bytes), weights->description);
  return weights;
}

}  // namespace facegate
