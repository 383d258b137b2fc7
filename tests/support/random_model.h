#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/status.h"
#include "face/network/architecture.h"
#include "face/network/random_weights.h"
#include "face/weights/model_file.h"

namespace facegate {

struct RandomModelOptions {
  std::string_view architecture = "mobilefacenet-128";
  uint64_t seed = 1;
  std::optional<float> default_min_cosine{};
};

// A model file that recognises nobody, but runs: the same crop gives the same embedding.
inline Status WriteRandomModel(const std::string& path, const RandomModelOptions& options = {}) {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, RandomWeights(options.architecture, options.seed));
  FACEGATE_ASSIGN_OR_RETURN(file.card.embedding_size, EmbeddingSizeOf(options.architecture));
  file.card.architecture = options.architecture;
  file.card.training_data = "none: random weights for tests";
  file.card.licence = "Apache-2.0";
  file.card.origin = "tests/support/random_model.h";
  file.card.default_min_cosine = options.default_min_cosine;
  return WriteModelFile(path, std::move(file));
}

}  // namespace facegate
