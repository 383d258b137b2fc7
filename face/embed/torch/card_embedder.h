#pragma once

#include <memory>

#include "face/base/device.h"
#include "face/embed/embedder.h"
#include "face/embed/engine.h"
#include "face/embed/serving_precision.h"
#include "face/weights/model_file.h"

namespace facegate {

// Makes an embedder of a model on a card, in that precision. `device` is a card. Several calls of
// Embed() side by side keep the card busy, as passes() says. kFailedPrecondition in a build for
// CPUs; else as CardNetwork::Create() (face/torch/cuda/card_network.h).
StatusOr<std::unique_ptr<Embedder>> MakeCardEmbedder(const ModelFile& file, const Device& device,
                                                     Precision precision,
                                                     const EmbedderOptions& options);

}  // namespace facegate
