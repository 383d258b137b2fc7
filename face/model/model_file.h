#pragma once

#include <string>

#include "face/base/status.h"
#include "face/model/model_card.h"
#include "face/model/weights.h"

namespace facegate {

// NAME.safetensors with its card under the metadata key "facegate_card".
struct ModelFile {
  ModelCard card;
  TensorMap tensors;
};

// Reads and checks: the card parses, its digests are those of the tensors and of the preprocessing.
// kInvalidArgument otherwise, with both digests where they differ.
StatusOr<ModelFile> ReadModelFile(const std::string& path);

// Fills in the card's digests and writes the file atomically.
Status WriteModelFile(const std::string& path, ModelFile file);

}  // namespace facegate
