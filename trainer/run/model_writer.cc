#include "trainer/run/model_writer.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/embed/canary.h"
#include "face/embed/torch/torch_embedder.h"
#include "face/network/description_json.h"
#include "face/torch/tensor_conversion.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr uint64_t kCanarySeed = 20220901;
constexpr int kCanaryFaces = 4;

EmbedderOptions CpuOptions(bool run_canary) {
  return {.threads = 0, .max_batch = kCanaryFaces, .device = "cpu", .run_canary = run_canary};
}

Status WriteAndCheck(const std::string& path, ModelFile file) {
  const std::string unproven = path + ".unproven";
  FACEGATE_RETURN_IF_ERROR(WriteModelFile(unproven, std::move(file)));
  Status status = LoadTorchEmbedder(unproven, CpuOptions(true)).status();
  std::error_code error;
  if (status.ok()) {
    std::filesystem::rename(unproven, path, error);
    if (!error) return SyncFolderOf(path);
    status = FailedPrecondition(fmt::format("cannot rename to {}: {}", path, error.message()));
  }
  std::filesystem::remove(unproven, error);
  return Annotate(status, "the written file was dropped");
}

}  // namespace

StatusOr<ModelCard> WriteProvenModel(const std::string& path, ModelFile file) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network, NetworkOf(file.card));
  file.card.embedding_size = static_cast<int>(network.outputs);
  FACEGATE_ASSIGN_OR_RETURN(const auto embedder, MakeTorchEmbedder(file, CpuOptions(false)));
  FACEGATE_ASSIGN_OR_RETURN(file.card.canary, RecordCanary(*embedder, kCanarySeed, kCanaryFaces));
  file.card.model_digest = ModelDigest(file.card.architecture, file.tensors);
  file.card.preprocessing_digest = PreprocessingDigest(file.card.preprocessing);
  if (file.card.calibration &&
      (file.card.calibration->model_digest != file.card.model_digest ||
       file.card.calibration->preprocessing_digest != file.card.preprocessing_digest)) {
    file.card.calibration.reset();
  }
  ModelCard card = file.card;
  FACEGATE_RETURN_IF_ERROR(WriteAndCheck(path, std::move(file)));
  return card;
}

Status MixWeights(const TensorMap& other, double share, TensorMap& tensors) {
  return CatchToStatus("mixing weights", [&]() -> Status {
    for (const auto& [name, tensor] : other) {
      if (!tensors.contains(name)) {
        return InvalidArgument(fmt::format("the other model alone has a tensor {}", Quote(name)));
      }
    }
    for (auto& [name, tensor] : tensors) {
      const auto found = other.find(name);
      if (found == other.end()) {
        return InvalidArgument(fmt::format("the other model has no tensor {}", Quote(name)));
      }
      if (found->second.shape != tensor.shape) {
        return InvalidArgument(fmt::format("tensor {} has the shape {}, the other model's has {}",
                                           Quote(name), ShapeText(tensor.shape),
                                           ShapeText(found->second.shape)));
      }
      FACEGATE_ASSIGN_OR_RETURN(const torch::Tensor own, ToTorch(tensor));
      if (!own.is_floating_point()) continue;
      FACEGATE_ASSIGN_OR_RETURN(const torch::Tensor others, ToTorch(found->second));
      const torch::Tensor mix =
          (1.0 - share) * own.to(torch::kDouble) + share * others.to(torch::kDouble);
      FACEGATE_ASSIGN_OR_RETURN(tensor, FromTorch(mix.to(torch::kFloat)));
    }
    return OkStatus();
  });
}

Status RoundToHalf(TensorMap& tensors) {
  return CatchToStatus("rounding to 16 bits", [&]() -> Status {
    for (auto& [name, tensor] : tensors) {
      if (tensor.shape.size() < 2 || tensor.dtype == DType::kF16) continue;
      FACEGATE_ASSIGN_OR_RETURN(const torch::Tensor whole, ToTorch(tensor));
      if (!whole.is_floating_point()) continue;
      const torch::Tensor half = whole.to(torch::kHalf);
      if (!torch::isfinite(half).all().item<bool>()) {
        return InvalidArgument(
            fmt::format("tensor {} has numbers that do not fit 16 bits", Quote(name)));
      }
      FACEGATE_ASSIGN_OR_RETURN(tensor, FromTorch(half));
    }
    return OkStatus();
  });
}

}  // namespace facegate
