#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "face/embed/embedder.h"
#include "face/weights/model_file.h"

namespace facegate {

struct TorchEmbedderOptions {
  int threads = 0;              // of one call on the CPU; 0: as many as the machine has cores
  int max_batch = 8;            // 1..256; each size up to it is warmed up when the embedder is made
  std::string device = "auto";  // "auto" (the GPU where there is one), "cpu" or "cuda"
  bool run_canary = true;       // refuse a model whose canary differs
};

// "cpu" or "cuda": what `device` of the options means on this machine. kInvalidArgument for another
// name, kFailedPrecondition for "cuda" where there is none.
StatusOr<std::string> ResolveDevice(std::string_view device);

// Loads a model file (safetensors with a card), checks its digest, folds and freezes the network,
// warms up each batch size and runs the canary. kInvalidArgument for a file or card that does not
// fit, kFailedPrecondition for a canary that differs or a device that is not there, with what was
// expected. A call with fewer faces than `threads` runs the network with all threads at once, one
// with more in parts of its faces side by side, each on one thread. Calls of its Embed() from
// several threads run at the same time; the helping threads of the second kind are shared.
StatusOr<std::unique_ptr<Embedder>> LoadTorchEmbedder(const std::string& path,
                                                      const TorchEmbedderOptions& options);

// The same of a model that was read already, whose digests are taken as checked; for what makes a
// model file and needs its embeddings first.
StatusOr<std::unique_ptr<Embedder>> MakeTorchEmbedder(ModelFile file,
                                                      const TorchEmbedderOptions& options);

}  // namespace facegate
