#pragma once

#include <optional>
#include <string>

#include "face/base/status.h"
#include "face/onnx/network_graph.h"
#include "face/weights/model_card.h"
#include "face/weights/weights.h"

namespace facegate {

enum class ExportFormat { kTorch, kSafetensors, kOnnx, kNpy };

// The format that the ending of a path stands for: .pth and .pt are files of torch.save.
std::optional<ExportFormat> ExportFormatOf(const std::string& path);

// Weights, and what is known of them.
struct ExportWeights {
  TensorMap tensors;
  std::optional<ModelCard> card{};
};

// The bytes of a safetensors file; where there is a card, that is a model file.
std::string SafetensorsOf(ExportWeights weights);

// Leaves the tensor of that name alone, or the only one. kInvalidArgument where there are several.
Status ChooseTensor(const std::optional<std::string>& name, TensorMap& tensors);

// The bytes of a .npy (NumPy) of the only tensor. kInvalidArgument for another type than F32 or
// other than one or two dimensions.
StatusOr<std::string> NpyOf(const TensorMap& tensors);

// The graph of the card's network; its metadata carry the card where `with_card`.
StatusOr<OnnxModel> OnnxOf(ExportWeights weights, const NetworkGraphOptions& options,
                           bool with_card);

}  // namespace facegate
