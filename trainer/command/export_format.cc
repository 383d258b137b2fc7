#include "trainer/command/export_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "face/base/npy_header.h"
#include "face/network/description_json.h"
#include "face/weights/model_file.h"
#include "face/weights/quote.h"
#include "face/weights/safetensors.h"

namespace facegate {
namespace {

constexpr size_t kShownNames = 6;

std::string FirstNames(const TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    if (names.size() < kShownNames) names.push_back(name);
  }
  return fmt::format("{}{}", fmt::join(names, ", "), tensors.size() > kShownNames ? ", ..." : "");
}

}  // namespace

std::optional<ExportFormat> ExportFormatOf(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".pth" || ending == ".pt") return ExportFormat::kTorch;
  if (ending == ".safetensors") return ExportFormat::kSafetensors;
  if (ending == ".onnx") return ExportFormat::kOnnx;
  if (ending == ".npy") return ExportFormat::kNpy;
  return std::nullopt;
}

std::string SafetensorsOf(ExportWeights weights) {
  Safetensors file{.tensors = std::move(weights.tensors), .metadata = {}};
  if (weights.card) file.metadata[std::string(kCardKey)] = ModelCardToJson(*weights.card);
  return SerializeSafetensors(file);
}

Status ChooseTensor(const std::optional<std::string>& name, TensorMap& tensors) {
  if (!name && tensors.size() != 1) {
    return RefuseField("--tensor", fmt::format("a .npy holds one tensor, and there are {}: name "
                                               "one of {}",
                                               tensors.size(), FirstNames(tensors)));
  }
  if (!name) return OkStatus();
  if (!tensors.contains(*name)) {
    return RefuseField("--tensor", fmt::format("there is no tensor {}, there are {}", Quote(*name),
                                               FirstNames(tensors)));
  }
  std::erase_if(tensors, [&name](const auto& named) { return named.first != *name; });
  return OkStatus();
}

StatusOr<std::string> NpyOf(const TensorMap& tensors) {
  const auto& [name, tensor] = *tensors.begin();
  if (tensor.dtype != DType::kF32 || tensor.shape.empty() || tensor.shape.size() > 2) {
    return InvalidArgument(fmt::format(
        "a .npy is written of one or two dimensions of F32, and tensor {} is {} {}: a .pth or "
        ".safetensors takes it",
        Quote(name), DTypeName(tensor.dtype), ShapeText(tensor.shape)));
  }
  return NpyHeader({tensor.shape.begin(), tensor.shape.end()}) + tensor.bytes;
}

StatusOr<OnnxModel> OnnxOf(ExportWeights weights, const NetworkGraphOptions& options,
                           bool with_card) {
  const ModelCard& card = *weights.card;
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description, NetworkOf(card));
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel model,
                            MakeNetworkGraph(description, std::move(weights.tensors), options));
  if (with_card) model.metadata[std::string(kCardKey)] = ModelCardToJson(card);
  return model;
}

}  // namespace facegate
