#include "server/operations/decision.h"

namespace facegate {

StatusOr<DecisionBasis> ChooseBasis(const std::optional<OperatingPoint>& requested,
                                    std::optional<float> collection_min_cosine,
                                    const ModelCard& card) {
  DecisionBasis basis{.model_digest = card.model_digest};
  if (requested.has_value()) {
    basis.threshold = std::get<MinCosine>(*requested).cosine;
    basis.source = ThresholdSource::kRequest;
  } else if (collection_min_cosine.has_value()) {
    basis.threshold = *collection_min_cosine;
    basis.source = ThresholdSource::kCollection;
  } else if (card.default_min_cosine.has_value()) {
    basis.threshold = *card.default_min_cosine;
    basis.source = ThresholdSource::kModelCard;
  } else {
    return Refuse(Reason::kNoOperatingPoint,
                  "neither the request nor the collection nor the model card says from which "
                  "cosine on two faces match");
  }
  return basis;
}

bool Matches(float cosine, const DecisionBasis& basis) { return cosine >= basis.threshold; }

Decision Decide(float cosine, const DecisionBasis& basis) {
  return Matches(cosine, basis) ? Decision::kMatch : Decision::kNoMatch;
}

}  // namespace facegate
