#pragma once

#include <memory>
#include <string>

#include "face/base/status.h"
#include "face/embed/embedder.h"

namespace facegate {

struct EmbedderOptions {
  int threads = 0;  // of one call on the CPU; 0: as many as the machine has cores
  // Of one call, 1 to 256; 0: 8 on the CPU, 128 on a card. All sizes are warmed up when the
  // embedder is made.
  int max_batch = 0;
  // "auto" (the first card that can be used, else the CPU), "cpu" or "cuda:N".
  std::string device = "auto";
  // "auto", "fp32", "tf32", "fp16" or "bf16": see PrecisionsToTry().
  std::string precision = "auto";
  bool run_canary = true;  // refuse a model whose canary differs
};

// Runs networks with a library of others, on the devices that it reaches. Thread-safe.
class Engine {
 public:
  virtual ~Engine() = default;
  // Loads a model file (safetensors with a card), checks its digest, makes the network ready, warms
  // up each batch size and runs the canary. kInvalidArgument for a file or card that does not fit,
  // kFailedPrecondition for a canary that differs or a device that is not there, with what was
  // expected.
  virtual StatusOr<std::unique_ptr<Embedder>> Load(const std::string& path,
                                                   const EmbedderOptions& options) = 0;
};

// The engine of the module facegate-torch, which is opened at the first call, with LibTorch: some
// hundred libraries and a third of a second. It lives as long as the process. kFailedPrecondition
// where the module or one of its libraries is missing. Thread-safe.
StatusOr<Engine*> OpenTorchEngine();

// The type of that module's entry.
using EngineEntry = Engine* (*)();

}  // namespace facegate
