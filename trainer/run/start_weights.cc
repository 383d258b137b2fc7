#include "trainer/run/start_weights.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/network/architecture.h"
#include "face/network/backbone_file.h"
#include "face/network/backbone_group.h"
#include "face/network/resnet.h"
#include "face/network/tensor_list.h"
#include "face/weights/model_file.h"
#include "face/weights/quote.h"
#include "face/weights/safetensors.h"
#include "face/weights/state_dict.h"
#include "face/weights/torch_pickle.h"
#include "trainer/keras/keras_weights.h"
#include "trainer/keras/tensorflow_checkpoint.h"
#include "trainer/learn/checkpoint.h"

namespace facegate {
namespace {

constexpr std::string_view kBackbone = "backbone.";
constexpr std::string_view kAverage = "average.";
constexpr std::string_view kHead = "head.";
// Other trainings keep averaged weights here, beside those of the last step.
constexpr std::array<std::string_view, 3> kAveragedEntries = {"state_dict_ema", "model_ema", "ema"};

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

// Tensors of what is not the whole network; torchvision's under the names that the network has for
// them. kInvalidArgument where two would have one name.
StatusOr<TensorMap> PartOf(TensorMap tensors, const std::string& architecture) {
  const StatusOr<network::Description> network = DescribeArchitecture(architecture);
  TensorMap named;
  std::set<std::string> wanted;
  if (network.ok()) {
    for (const network::TensorShape& tensor : TensorsOf(*network)) wanted.insert(tensor.name);
  }
  for (auto& [name, tensor] : tensors) {
    const std::string other = network::NameByPosition(name);
    const bool known = !wanted.contains(name) && wanted.contains(other);
    const std::string& own = known ? other : name;
    if (!named.emplace(own, std::move(tensor)).second) {
      return InvalidArgument(
          fmt::format("there are two tensors for {}, one is {}", Quote(own), Quote(name)));
    }
  }
  return BelowBackbone(std::move(named));
}

// Asks `find`, which looks for a whole network of the architecture; of several it takes the
// averaged one.
StatusOr<FoundBackbone> FindWhole(
    const std::string& architecture,
    const std::function<StatusOr<FoundBackbone>(const BackboneWish&)>& find) {
  BackboneWish wish{.architecture = architecture};
  StatusOr<FoundBackbone> found = find(wish);
  for (const std::string_view entry : kAveragedEntries) {
    if (found.ok()) break;
    wish.entry = entry;
    found = find(wish);
  }
  return found;
}

void TakeFound(FoundBackbone found, StartWeights& weights) {
  weights.tensors = BelowBackbone(std::move(found.tensors));
  weights.left = std::move(found.left);
}

// The network of the architecture, or, where there is none as a whole, what may be a part of it.
Status ParsePickle(std::string_view bytes, const std::string& architecture, StartWeights& weights) {
  StatusOr<FoundBackbone> found =
      FindWhole(architecture, [&](const BackboneWish& wish) { return ParseBackbone(bytes, wish); });
  if (found.ok()) {
    TakeFound(*std::move(found), weights);
    return OkStatus();
  }
  FACEGATE_ASSIGN_OR_RETURN(TensorMap tensors, ParseTorchPickle(bytes));
  FACEGATE_ASSIGN_OR_RETURN(weights.tensors, PartOf(std::move(tensors), architecture));
  return OkStatus();
}

Status ParsePlain(TensorMap tensors, const std::string& architecture, StartWeights& weights) {
  StatusOr<FoundBackbone> found = FindWhole(
      architecture, [&](const BackboneWish& wish) { return TakeBackbone(tensors, wish); });
  if (found.ok()) {
    TakeFound(*std::move(found), weights);
    return OkStatus();
  }
  FACEGATE_ASSIGN_OR_RETURN(weights.tensors,
                            PartOf(DropSharedPrefixes(std::move(tensors)), architecture));
  return OkStatus();
}

std::string Described(const std::string& path, const std::string& sha256) {
  return fmt::format("{} (sha256 {})", std::filesystem::path(path).filename().string(), sha256);
}

StatusOr<StartWeights> Parse(std::string_view bytes, const std::string& path,
                             const std::string& architecture) {
  StartWeights weights;
  if (LooksLikeKeras(bytes)) {
    FACEGATE_ASSIGN_OR_RETURN(KerasWeights keras, ReadKerasWeights(bytes, path));
    FACEGATE_RETURN_IF_ERROR(ParsePlain(std::move(keras.tensors), architecture, weights));
    weights.description = Described(path, keras.sha256);
    return weights;
  }
  weights.description = Described(path, Sha256Hex(bytes));
  if (!LooksLikeSafetensors(bytes)) {
    FACEGATE_RETURN_IF_ERROR(ParsePickle(bytes, architecture, weights));
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
      weights.description += fmt::format(", trained on: {}", model.card.training_data);
    }
  } else {
    FACEGATE_RETURN_IF_ERROR(ParsePlain(std::move(file.tensors), architecture, weights));
  }
  return weights;
}

}  // namespace

StatusOr<StartWeights> ReadStartWeights(const std::string& named, const std::string& architecture) {
  const std::string path = TensorFlowIndexOf(named);
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxWeightFileBytes));
  StatusOr<StartWeights> weights = Parse(bytes, path, architecture);
  if (!weights.ok()) return Annotate(weights.status(), path);
  return weights;
}

}  // namespace facegate
