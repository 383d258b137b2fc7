#include "server/rpc/decision.h"

#include "server/rpc/request_checks.h"

namespace facegate {

StatusOr<v1::DecisionBasis> ChooseBasis(const v1::OperatingPoint* requested,
                                        std::optional<float> collection_min_cosine,
                                        const ModelCard& card) {
  v1::DecisionBasis basis;
  basis.set_model_digest(card.model_digest);
  if (requested != nullptr) {
    // A point of a later version arrives as none: to decide by another than was asked for would be
    // worse than to refuse.
    if (requested->point_case() != v1::OperatingPoint::kMinCosine) {
      return RefuseField("operating_point", "has no point that this server knows");
    }
    FACEGATE_RETURN_IF_ERROR(CheckCosine(requested->min_cosine(), "operating_point.min_cosine"));
    basis.set_threshold(requested->min_cosine());
    basis.set_source(v1::OPERATING_POINT_SOURCE_REQUEST);
  } else if (collection_min_cosine.has_value()) {
    basis.set_threshold(*collection_min_cosine);
    basis.set_source(v1::OPERATING_POINT_SOURCE_COLLECTION);
  } else if (card.default_min_cosine.has_value()) {
    basis.set_threshold(*card.default_min_cosine);
    basis.set_source(v1::OPERATING_POINT_SOURCE_MODEL_CARD);
  } else {
    return Refuse(Reason::kNoOperatingPoint,
                  "neither the request nor the collection nor the model card says from which "
                  "cosine on two faces match");
  }
  return basis;
}

v1::Decision Decide(float cosine, const v1::DecisionBasis& basis) {
  return cosine >= basis.threshold() ? v1::DECISION_MATCH : v1::DECISION_NO_MATCH;
}

}  // namespace facegate
