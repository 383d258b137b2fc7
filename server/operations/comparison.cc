#include "server/operations/comparison.h"

#include <utility>

#include "face/base/embedding.h"

namespace facegate {

StatusOr<ComparisonResult> Compare(const OperationParts& parts, const ComparisonRequest& request,
                                   const Caller& caller) {
  ComparisonResult result;
  FACEGATE_ASSIGN_OR_RETURN(result.basis, ChooseBasis({.requested = request.operating_point,
                                                       .collection_min_cosine = std::nullopt,
                                                       .card = parts.engine.card()}));
  const double wanted = WantedQuality(request.probe_quality, parts.quality.probe);
  FACEGATE_ASSIGN_OR_RETURN(
      std::vector<JudgedFace> faces,
      EmbedComparable(parts, request.probes, {.least = wanted, .most = wanted}, caller));
  if (faces[0].embedding.has_value() && faces[1].embedding.has_value()) {
    result.cosine = CosineScore(faces[0].embedding->values(), faces[1].embedding->values());
    result.decision = Decide(*result.cosine, result.basis);
  }
  result.faces = {std::move(faces[0].report), std::move(faces[1].report)};
  return result;
}

}  // namespace facegate
