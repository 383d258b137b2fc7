#pragma once

#include <optional>

#include "face/base/status.h"
#include "facegate/v1/types.pb.h"
#include "server/operations/decision.h"

// Decisions, and where they begin, from and to messages.
namespace facegate {

// Nothing for null. kInvalidField at operating_point for one that is malformed or of a kind that
// this server does not know.
StatusOr<std::optional<OperatingPoint>> ParseOperatingPoint(const v1::OperatingPoint* requested);

v1::Decision ToMessage(Decision decision);
void FillBasis(const DecisionBasis& basis, v1::DecisionBasis* out);

}  // namespace facegate
