#include "server/operations/examination.h"

#include <utility>

namespace facegate {

StatusOr<EmbeddingResult> EmbedFace(const OperationParts& parts, const Probe& probe,
                                    const Caller& caller) {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<PreparedFace> prepared,
                            PrepareProbe(probe, parts.engine, parts.gallery, caller));
  FACEGATE_ASSIGN_OR_RETURN(std::vector<EmbeddedFace> faces,
                            parts.engine.Embed(std::move(prepared), caller));
  EmbeddedFace& face = faces.front();
  if (!face.embedding.has_value()) return Internal("a face without content was to be embedded");
  return EmbeddingResult{.embedding = std::move(*face.embedding),
                         .face = ReportOf(face.detected, face.quality, parts.quality.probe)};
}

StatusOr<DetectionResult> DetectFaces(const OperationParts& parts, std::string_view encoded,
                                      const SelectionRequest& selection, const Caller& caller) {
  FACEGATE_ASSIGN_OR_RETURN(const Detection detection,
                            parts.engine.Detect(encoded, selection, caller));
  DetectionResult result{
      .faces = {}, .image_width = detection.image_width, .image_height = detection.image_height};
  result.faces.reserve(detection.faces.size());
  for (const MeasuredFace& face : detection.faces) {
    result.faces.push_back(ReportOf(face.detected, face.quality, parts.quality.probe));
  }
  return result;
}

}  // namespace facegate
