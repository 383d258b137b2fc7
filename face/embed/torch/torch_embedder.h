#pragma once

#include <memory>
#include <string>

#include "face/embed/embedder.h"
#include "face/embed/engine.h"
#include "face/weights/model_file.h"

namespace facegate {

// Does what Engine::Load() says, with LibTorch: folds and freezes the network first. A call with
// fewer faces than `threads` runs the network with all threads at once, one with more in parts of
// its faces side by side, each on one thread. Calls of its Embed() from several threads run at the
// same time; the helping threads of the second kind are shared.
StatusOr<std::unique_ptr<Embedder>> LoadTorchEmbedder(const std::string& path,
                                                      const EmbedderOptions& options);

// The same of a model that was read already, whose digests are taken as checked; for what makes a
// model file and needs its embeddings first.
StatusOr<std::unique_ptr<Embedder>> MakeTorchEmbedder(ModelFile file,
                                                      const EmbedderOptions& options);

}  // namespace facegate
