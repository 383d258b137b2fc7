#pragma once

#include <functional>
#include <memory>
#include <span>

#include "face/embed/embedder.h"
#include "face/embed/serving_precision.h"

namespace facegate {

// Makes an embedder of one model that computes in this precision.
using EmbedderMaker = std::function<StatusOr<std::unique_ptr<Embedder>>(Precision)>;

// The first of `precisions` whose embeddings are those that the card recorded, within
// CanaryTolerance(); where the card has no canary, those that the last of them, the finest, gives.
// Each that is refused is said in the log. An error of `make`, and a device that is full or lost,
// are returned at once; when the last precision is refused, the canary's error is.
StatusOr<std::unique_ptr<Embedder>> MakeProvenEmbedder(std::span<const Precision> precisions,
                                                       const EmbedderMaker& make);

}  // namespace facegate
