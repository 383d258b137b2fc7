#pragma once

#include <memory>
#include <span>
#include <vector>

#include "face/embed/embedder.h"
#include "face/embed/engine.h"
#include "face/weights/model_file.h"

namespace facegate {

// An embedder that also gives vectors as the network makes them: their length says something of the
// face, which is lost once they have unit length.
class RawEmbedder : public Embedder {
 public:
  // card().embedding_size values for each face, in order; with mirror_average the sum of those of
  // crop and mirror image. Else as Embed().
  virtual StatusOr<std::vector<float>> EmbedRaw(std::span<const AlignedFace> faces) = 0;
};

// Of a model that was read already. It computes on the CPU, whatever options.device says: on a card
// vectors get unit length before they leave it.
StatusOr<std::unique_ptr<RawEmbedder>> MakeTorchRawEmbedder(ModelFile file,
                                                            const EmbedderOptions& options);

}  // namespace facegate
