#pragma once

#include <memory>
#include <string>

#include "face/model/embedder.h"

namespace facegate {

struct TorchEmbedderOptions {
  int threads = 0;              // of one forward pass; 0: as many as the machine has cores
  int max_batch = 8;            // 1..256; each size up to it is warmed up when the embedder is made
  std::string device = "auto";  // "auto" (the GPU where there is one), "cpu" or "cuda"
  bool run_canary = true;       // refuse a model whose canary differs
};

// Loads a model file (safetensors with a card), checks its digest, folds and freezes the network,
// warms up each batch size and runs the canary. kInvalidArgument for a file, card or canary that
// does not fit, with what was expected.
StatusOr<std::unique_ptr<Embedder>> LoadTorchEmbedder(const std::string& path,
                                                      const TorchEmbedderOptions& options);

}  // namespace facegate
