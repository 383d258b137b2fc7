#pragma once

#include <string_view>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/status.h"
#include "face/detect/selection.h"
#include "server/engine/caller.h"
#include "server/operations/comparability.h"
#include "server/operations/operation_parts.h"
#include "server/operations/probe.h"

// Tells of faces that are not compared. The quality that the server wants of probes stands beside
// theirs, and keeps nothing back.
namespace facegate {

struct EmbeddingResult {
  Embedding embedding;
  FaceReport face;
};

// `probe` is an image or a crop, with one face selected.
StatusOr<EmbeddingResult> EmbedFace(const OperationParts& parts, const Probe& probe,
                                    const Caller& caller);

struct DetectionResult {
  std::vector<FaceReport> faces;
  int image_width = 0;  // of the upright picture, pixels
  int image_height = 0;
};

StatusOr<DetectionResult> DetectFaces(const OperationParts& parts, std::string_view encoded,
                                      const SelectionRequest& selection, const Caller& caller);

}  // namespace facegate
