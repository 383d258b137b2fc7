#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/weights/model_card.h"
#include "face/weights/safetensors.h"
#include "face/weights/weights.h"

namespace facegate {

// The key of the card in a safetensors file's metadata.
inline constexpr std::string_view kCardKey = "facegate_card";
// A weight file of any format that is larger is refused.
inline constexpr uint64_t kMaxWeightFileBytes = 4ULL << 30;

// NAME.safetensors with its card under the metadata key "facegate_card".
struct ModelFile {
  ModelCard card;
  TensorMap tensors;
};

// kInvalidArgument for a file of facegate-train that holds a network of another kind than models
// are, which embed faces; says which.
Status CheckEmbedsFaces(const Safetensors& file);

// Checks what a safetensors file holds: the card parses, its digests are those of the tensors and
// of the preprocessing. kInvalidArgument otherwise, with both digests where they differ.
StatusOr<ModelFile> ModelFileFrom(Safetensors file);

// Reads the file and checks it with ModelFileFrom().
StatusOr<ModelFile> ReadModelFile(const std::string& path);

// Fills in the card's digests and writes the file atomically. kInvalidArgument, and nothing is
// written, when ReadModelFile() would refuse the result.
Status WriteModelFile(const std::string& path, ModelFile file);

}  // namespace facegate
