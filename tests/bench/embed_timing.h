#pragma once

#include <memory>
#include <span>
#include <string>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "face/weights/model_file.h"

namespace facegate {

struct EmbedderShape {
  std::string architecture{};
  int threads = 1;
  int max_batch = 8;
};

// A model with seeded random weights: as fast as one that knows faces.
StatusOr<ModelFile> RandomModelFile(const std::string& architecture);

// An embedder of that model on the CPU.
StatusOr<std::unique_ptr<Embedder>> MakeRandomEmbedder(const EmbedderShape& shape);

struct Timing {
  double minimum_ms = 0.0;
  double median_ms = 0.0;
  size_t rounds = 0;
};

// Times Embed() of all `faces`, again and again until `seconds` have passed, three times at least.
StatusOr<Timing> MeasureEmbed(Embedder& embedder, std::span<const AlignedFace> faces,
                              double seconds);

}  // namespace facegate
