#pragma once

#include <memory>
#include <span>
#include <string>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "face/weights/model_file.h"

namespace facegate {

// Writes into `folder`, which exists, what another program needs to do the same: model.safetensors,
// and faces.safetensors with the crops ("crop", U8, N·height·width·3, blue first) and their
// embeddings ("embedding", F32, N·E).
Status WriteModelAndFaces(Embedder& embedder, ModelFile model, std::span<const AlignedFace> faces,
                          const std::string& folder);

struct Load {
  size_t batch = 1;    // faces of one call, at least 1
  size_t callers = 1;  // calls in flight, at least 1
  double seconds = 1;
};

struct Speed {
  double faces_per_s = 0;
  double p50_ms = 0;  // of one call
  double p99_ms = 0;
  size_t calls = 0;
};

// Embeds the first `batch` of `faces` again and again, from `callers` threads at once; a call of
// each thread before the time begins is not counted, and each makes three at least.
StatusOr<Speed> MeasureEmbedding(Embedder& embedder, std::span<const AlignedFace> faces,
                                 const Load& load);

}  // namespace facegate
