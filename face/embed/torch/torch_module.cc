// The module facegate-torch: what a program that is not linked to LibTorch opens to run networks.

#include "face/base/module.h"
#include "face/embed/engine.h"
#include "face/embed/torch/torch_embedder.h"

namespace facegate {
namespace {

class TorchEngine : public Engine {
 public:
  StatusOr<std::unique_ptr<Embedder>> Load(const std::string& path,
                                           const EmbedderOptions& options) override {
    return LoadTorchEmbedder(path, options);
  }
};

Engine* TheEngine() {
  static TorchEngine engine;
  return &engine;
}

}  // namespace
}  // namespace facegate

FACEGATE_MODULE(facegate::TheEngine);
