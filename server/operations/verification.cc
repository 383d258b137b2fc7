#include "server/operations/verification.h"

#include <utility>

namespace facegate {

StatusOr<VerificationResult> Verify(const OperationParts& parts, const VerificationRequest& request,
                                    const Caller& caller) {
  const ModelKey& model = parts.engine.model();
  const StopCheck stop = parts.engine.Wanted(caller);
  FACEGATE_ASSIGN_OR_RETURN(const CollectionInfo collection,
                            GetUsableCollection(parts.gallery, request.collection, model, stop));
  FACEGATE_ASSIGN_OR_RETURN(const IdentityInfo identity,
                            parts.gallery.GetIdentity(request.collection, request.identity, stop));
  VerificationResult result;
  FACEGATE_ASSIGN_OR_RETURN(
      result.basis, BasisWithin(parts.of_calibrations(), collection, request.operating_point,
                                {.templates = identity.template_count}, stop));
  const double wanted = WantedQuality(collection.settings.probe_quality, parts.quality.probe);
  FACEGATE_ASSIGN_OR_RETURN(
      std::vector<JudgedFace> faces,
      EmbedComparable(parts, {&request.probe, 1}, {.least = wanted, .most = wanted}, caller));
  JudgedFace& face = faces.front();
  result.face = std::move(face.report);
  if (!face.embedding.has_value()) return result;
  FACEGATE_ASSIGN_OR_RETURN(result.best, parts.gallery.Score(request.collection, request.identity,
                                                             model, *face.embedding, stop));
  result.decision = Decide(result.best->score, result.basis);
  return result;
}

}  // namespace facegate
