#pragma once

#include <optional>

#include "face/base/status.h"
#include "facegate/v1/types.pb.h"
#include "server/operations/decision.h"

// Decisions, and where they begin, from and to messages.
namespace facegate {

// Refuses an unknown value at calibration.
StatusOr<CalibrationSource> ParseCalibration(v1::CalibrationChoice choice,
                                             CalibrationSource unspecified);

// Nothing for null. kInvalidField at operating_point for one that is malformed or of a kind that
// this server does not know.
StatusOr<std::optional<OperatingPoint>> ParseOperatingPoint(const v1::OperatingPoint* requested);

v1::Decision ToMessage(Decision decision);
void FillErrorRate(v1::ErrorRateKind kind, const ErrorRate& rate, v1::ErrorRate* out);
void FillBasis(const DecisionBasis& basis, v1::DecisionBasis* out);

}  // namespace facegate
