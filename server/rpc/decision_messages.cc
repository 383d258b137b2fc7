#include "server/rpc/decision_messages.h"

#include "server/rpc/request_checks.h"

namespace facegate {
namespace {

v1::OperatingPointSource ToMessage(ThresholdSource source) {
  switch (source) {
    case ThresholdSource::kRequest:
      return v1::OPERATING_POINT_SOURCE_REQUEST;
    case ThresholdSource::kCollection:
      return v1::OPERATING_POINT_SOURCE_COLLECTION;
    case ThresholdSource::kModelCard:
      return v1::OPERATING_POINT_SOURCE_MODEL_CARD;
  }
  return v1::OPERATING_POINT_SOURCE_UNSPECIFIED;
}

}  // namespace

StatusOr<std::optional<OperatingPoint>> ParseOperatingPoint(const v1::OperatingPoint* requested) {
  if (requested == nullptr) return std::optional<OperatingPoint>();
  // A point of a later version arrives as none: to decide by another than was asked for would be
  // worse than to refuse.
  if (requested->point_case() != v1::OperatingPoint::kMinCosine) {
    return RefuseField("operating_point", "has no point that this server knows");
  }
  FACEGATE_RETURN_IF_ERROR(CheckCosine(requested->min_cosine(), "operating_point.min_cosine"));
  return std::optional<OperatingPoint>(MinCosine{requested->min_cosine()});
}

v1::Decision ToMessage(Decision decision) {
  switch (decision) {
    case Decision::kMatch:
      return v1::DECISION_MATCH;
    case Decision::kNoMatch:
      return v1::DECISION_NO_MATCH;
    case Decision::kInconclusive:
      return v1::DECISION_INCONCLUSIVE;
  }
  return v1::DECISION_INCONCLUSIVE;
}

void FillBasis(const DecisionBasis& basis, v1::DecisionBasis* out) {
  out->set_threshold(basis.threshold);
  out->set_source(ToMessage(basis.source));
  out->set_calibration_id(basis.calibration_id);
  out->set_model_digest(basis.model_digest);
}

}  // namespace facegate
