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

StatusOr<CalibrationSource> ParseCalibration(v1::CalibrationChoice choice,
                                             CalibrationSource unspecified) {
  switch (choice) {
    case v1::CALIBRATION_CHOICE_UNSPECIFIED:
      return unspecified;
    case v1::CALIBRATION_CHOICE_MODEL_CARD:
      return CalibrationSource::kModelCard;
    case v1::CALIBRATION_CHOICE_COLLECTION:
      return CalibrationSource::kCollection;
    default:
      return RefuseField("calibration", "is no choice that this server knows");
  }
}

StatusOr<std::optional<OperatingPoint>> ParseOperatingPoint(const v1::OperatingPoint* requested) {
  if (requested == nullptr) return std::optional<OperatingPoint>();
  OperatingPoint point;
  const auto calibration =
      ParseCalibration(requested->calibration(), CalibrationSource::kModelCard);
  if (!calibration.ok()) return AtField(calibration.status(), "operating_point");
  point.calibration = *calibration;
  switch (requested->point_case()) {
    case v1::OperatingPoint::kMinCosine:
      FACEGATE_RETURN_IF_ERROR(CheckCosine(requested->min_cosine(), "operating_point.min_cosine"));
      point.value = requested->min_cosine();
      return std::optional<OperatingPoint>(point);
    case v1::OperatingPoint::kFmr:
      point.kind = OperatingPointKind::kFmr;
      point.value = requested->fmr();
      break;
    case v1::OperatingPoint::kFpir:
      point.kind = OperatingPointKind::kFpir;
      point.value = requested->fpir();
      break;
    case v1::OperatingPoint::POINT_NOT_SET:
      // A point of a later version arrives as none: to decide by another than was asked for would
      // be worse than to refuse.
      return RefuseField("operating_point", "has no point that this server knows");
  }
  FACEGATE_RETURN_IF_ERROR(AtField(CheckOperatingPoint(point), "operating_point"));
  return std::optional<OperatingPoint>(point);
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

void FillErrorRate(v1::ErrorRateKind kind, const ErrorRate& rate, v1::ErrorRate* out) {
  out->set_kind(kind);
  out->set_rate(rate.rate);
  out->set_lower(rate.lower);
  out->set_upper(rate.upper);
  out->set_confidence(rate.confidence);
  out->set_by_formula(rate.by_formula);
}

void FillBasis(const DecisionBasis& basis, v1::DecisionBasis* out) {
  out->set_threshold(basis.threshold);
  out->set_source(ToMessage(basis.source));
  out->set_calibration_id(basis.calibration_id);
  out->set_model_digest(basis.model_digest);
  out->set_searched_templates(basis.searched_templates);
  if (!basis.claimed.has_value()) return;
  const bool search = basis.claimed_kind == OperatingPointKind::kFpir;
  FillErrorRate(search ? v1::ERROR_RATE_KIND_FPIR : v1::ERROR_RATE_KIND_FMR, *basis.claimed,
                out->mutable_claimed());
}

}  // namespace facegate
