#include "server/operations/decision.h"

namespace facegate {
namespace {

struct ChosenPoint {
  OperatingPoint point;
  ThresholdSource source = ThresholdSource::kRequest;
};

ChosenPoint RawCosine(float cosine, ThresholdSource source) {
  return {.point = {.kind = OperatingPointKind::kMinCosine,
                    .value = cosine,
                    .calibration = CalibrationSource::kModelCard},
          .source = source};
}

StatusOr<ChosenPoint> ChoosePoint(const BasisRequest& request) {
  if (request.requested.has_value()) {
    return ChosenPoint{.point = *request.requested, .source = ThresholdSource::kRequest};
  }
  if (request.collection_min_cosine.has_value()) {
    return RawCosine(*request.collection_min_cosine, ThresholdSource::kCollection);
  }
  if (request.card.default_min_cosine.has_value()) {
    return RawCosine(*request.card.default_min_cosine, ThresholdSource::kModelCard);
  }
  return Refuse(Reason::kNoOperatingPoint,
                "neither the request nor the collection nor the model card says from which "
                "cosine on two faces match");
}

}  // namespace

StatusOr<DecisionBasis> ChooseBasis(const BasisRequest& request) {
  FACEGATE_ASSIGN_OR_RETURN(const ChosenPoint chosen, ChoosePoint(request));
  const Calibration* calibration = nullptr;
  if (chosen.point.calibration == CalibrationSource::kCollection) {
    calibration = request.of_collection;
  } else if (request.card.calibration.has_value()) {
    calibration = &*request.card.calibration;
  }
  const auto threshold = ThresholdFor(chosen.point, calibration, request.scope);
  if (!threshold.ok()) return AtField(threshold.status(), "operating_point");
  DecisionBasis basis{.threshold = static_cast<float>(threshold->min_cosine),
                      .source = chosen.source,
                      .calibration_id = threshold->calibration_id,
                      .model_digest = request.card.model_digest,
                      .claimed = threshold->claimed,
                      .claimed_kind = threshold->claimed_kind};
  if (basis.claimed.has_value() && basis.claimed_kind == OperatingPointKind::kFpir) {
    basis.searched_templates = request.scope.searched;
  }
  return basis;
}

bool Matches(float cosine, const DecisionBasis& basis) { return cosine >= basis.threshold; }

Decision Decide(float cosine, const DecisionBasis& basis) {
  return Matches(cosine, basis) ? Decision::kMatch : Decision::kNoMatch;
}

}  // namespace facegate
